"""Turn masked texts into vectors: the step of the role that embeds, for the monitors to read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

import numpy as np
import numpy.typing as npt

from monitors.vectors import packed
from schemas.codec import decode, encode
from schemas.deadletters import DeadLetterReason
from schemas.embeddings import TextEmbedded
from schemas.errors import PoisonError
from schemas.registry import Deployment, Embeddings
from schemas.requests import CompletionAdmitted, ResponseReleased, Route, Served
from schemas.topics import EMBEDDINGS, RESPONSES
from schemas.verdicts import Direction
from streams.deadletters import appended_at, dead_letter, describe, origin_of
from streams.log import Output, Partition, Record
from streams.rationing import HISTORY_MS, WINDOW_MS, Ration
from streams.sealing import Seal

Side = Literal[Direction.PROMPT, Direction.ANSWER]


@dataclass(frozen=True)
class _Text:
    """A masked text, what it belongs to, and the share of conversations it was taken from."""

    record: Record
    served: Served
    route: Route | None
    direction: Side
    text: str
    share: float


class Embed:
    """Embeds the masked prompts and answers of the deployments that ask for it.

    Of a prompt it is the user's last turn. Which texts there is time for is decided by
    :class:`Ration`: a deployment's budget is split evenly over prompts and answers, over the pools
    that prompts go to and over the partitions of a topic; what one of them leaves, no other takes.
    A record read again gives the same event but for ``latency_ms``.

    Args:
        deployments: Those there are; who does not ask for embeddings gets none.
        partitions: Of each topic.
        embed: Returns a unit vector per text, shape (texts, width).
        model: What made them.
        seal: Encrypts dead letters.
        consumer: The group, as dead letters name it.
        clock_s: A clock in seconds, to say what a text costs.
    """

    history_ms = HISTORY_MS

    def __init__(
        self,
        deployments: Mapping[str, Deployment],
        *,
        partitions: int,
        embed: Callable[[Sequence[str]], npt.NDArray[np.float32]],
        model: str,
        seal: Seal,
        consumer: str,
        clock_s: Callable[[], float],
    ) -> None:
        self._asking = {n: d for n, d in deployments.items() if d.embeddings is not None}
        self._partitions = partitions
        self._embed = embed
        self._model = model
        self._seal = seal
        self._consumer = consumer
        self._clock_s = clock_s
        self._rations: dict[Partition, dict[str, Ration]] = {}

    def forget(self, partition: Partition) -> None:
        """Start with no text counted."""
        self._rations[partition] = {}

    def remember(self, records: Sequence[Record]) -> None:
        """Count the texts that were embedded before."""
        self._texts(records)

    def __call__(self, records: Sequence[Record]) -> list[Output]:
        """Return an event for each text of ``records`` that is taken."""
        texts = self._texts(records)
        if not texts:
            return []
        began_s = self._clock_s()
        vectors = self._embed([one.text for one in texts])
        each_ms = (self._clock_s() - began_s) * 1000 / len(texts)
        return [
            self._event(one, vector, each_ms) for one, vector in zip(texts, vectors, strict=True)
        ]

    def give_up(self, record: Record, error: Exception) -> list[Output]:
        """Set ``record`` aside; its request is answered all the same."""
        why, detail = DeadLetterReason.CRASHED, describe(error)
        return [dead_letter(record, why, detail, consumer=self._consumer, seal=self._seal)]

    def _texts(self, records: Sequence[Record]) -> list[_Text]:
        """Return the texts that are taken; other roles set aside what cannot be read."""
        found = []
        for record in records:
            try:
                one = self._text(record)
            except PoisonError:
                continue
            if one is not None:
                found.append(one)
        return found

    def _text(self, record: Record) -> _Text | None:
        served: Served | None
        direction: Side
        if record.partition.topic == RESPONSES.name:
            response = decode(ResponseReleased, record.value)
            served, route, direction = response.served, response.route, Direction.ANSWER
            text = response.text_masked
        else:
            served = admitted = decode(CompletionAdmitted, record.value)
            route, direction = admitted.route, Direction.PROMPT
            said = (turn.content for turn in reversed(admitted.messages) if turn.role == "user")
            text = next(said, "")
        asking = self._asking.get(served.deployment) if served else None
        if served is None or asking is None or asking.embeddings is None or not text.strip():
            return None
        lanes = self._partitions * (1 if direction is Direction.ANSWER else len(asking.pools))
        ration = self._rations.setdefault(record.partition, {}).setdefault(
            served.deployment, _ration(asking.embeddings, lanes)
        )
        share = ration.taken(served.key, record.offset, record.timestamp_ms)
        if share is None:
            return None
        return _Text(record, served, route, direction, text, share)

    def _event(self, one: _Text, vector: npt.NDArray[np.float32], latency_ms: float) -> Output:
        served, origin = one.served, origin_of(one.record)
        event = TextEmbedded(
            event_id=origin.cause("embedded", one.direction.value),
            occurred_at=appended_at(one.record),
            request_id=served.request_id,
            workspace=served.workspace,
            deployment=served.deployment,
            deployment_version=served.deployment_version,
            conversation_id=served.conversation_id,
            requested_at=served.requested_at,
            direction=one.direction,
            topic=one.route.topic if one.route else None,
            text_sha256=sha256(one.text.encode("utf-8", "replace")).hexdigest(),
            model=self._model,
            vector=packed(vector),
            share=one.share,
            latency_ms=latency_ms,
            origin=origin,
        )
        return Output(EMBEDDINGS.name, served.deployment.encode(), encode(event))


def _ration(asked: Embeddings, lanes: int) -> Ration:
    """Return one lane's part of half of a deployment's budget, one text at least."""
    room = asked.per_s / 2 * WINDOW_MS / 1000 / lanes
    return Ration(asked.share, max(1, int(room)))
