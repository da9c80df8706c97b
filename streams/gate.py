"""The gate: every request comes in through it, and every answer goes out.

It holds no state that cannot be read back from the log: what must travel between its two passes
rides in the events, so any gate can finish any request.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from schemas.codec import decode
from schemas.deadletters import DeadLetterReason
from schemas.errors import PoisonError
from schemas.requests import CompletionFinished, Failure, FailureReason, ResponseStatus, Served
from schemas.topics import COMPLETIONS, REQUESTS
from streams.admission import Admission, Serving
from streams.answers import answer, refusal
from streams.deadletters import dead_letter, describe, readable_request_id
from streams.log import Output, Partition, Record
from streams.release import Release
from streams.sealing import Seal
from streams.seen import WINDOW_MS, Seen

TOPICS = (REQUESTS.name, COMPLETIONS.name)
CRASHED = "the gate failed on this request"


class Gate:
    """Both passes of the gate as one step of the loop.

    Args:
        serving: What serves each deployment.
        seal: Encrypts what placeholders stand for, and dead letters.
        consumer: The group, as dead letters name it.
        deadline_s: Seconds a request may take that names no deadline.
        now: The current time, for deadlines.
    """

    history_ms = WINDOW_MS

    def __init__(
        self,
        serving: Mapping[str, Serving],
        seal: Seal,
        *,
        consumer: str,
        deadline_s: float,
        now: Callable[[], datetime],
    ) -> None:
        self._admission = Admission(
            serving, seal, consumer=consumer, deadline_s=deadline_s, now=now
        )
        self._release = Release(serving, seal, consumer=consumer, now=now)
        self._seal = seal
        self._consumer = consumer
        self._seen: dict[Partition, Seen] = {}

    def forget(self, partition: Partition) -> None:
        """Start with no id seen."""
        self._seen[partition] = Seen()

    def remember(self, records: Sequence[Record]) -> None:
        """Take in the ids of requests that were done before."""
        for record in records:
            request_id = readable_request_id(record)
            if record.partition.topic == REQUESTS.name and request_id is not None:
                self._seen_on(record).is_repeat(request_id, record.offset, record.timestamp_ms)

    def __call__(self, records: Sequence[Record]) -> list[Output]:
        """Return what comes of ``records``, all of one partition."""
        if records[0].partition.topic == REQUESTS.name:
            return self._admission.outputs(records, self._seen_on(records[0]))
        return self._release.outputs(records)

    def _seen_on(self, record: Record) -> Seen:
        return self._seen.setdefault(record.partition, Seen())

    def give_up(self, record: Record, error: Exception) -> list[Output]:
        """Set ``record`` aside and answer its request ``failed: crashed``.

        A request gets the answer alone if its id can be read, so that it ends once; a completion's
        bytes are kept as well, for its request is answered either way.
        """
        letter = dead_letter(
            record,
            DeadLetterReason.CRASHED,
            describe(error),
            consumer=self._consumer,
            seal=self._seal,
        )
        if record.partition.topic == COMPLETIONS.name:
            return [letter, *_crashed(record)]
        request_id = readable_request_id(record)
        if request_id is None:
            return [letter]
        return [refusal(record, request_id, FailureReason.CRASHED, CRASHED)]


def _crashed(record: Record) -> list[Output]:
    try:
        finished = decode(CompletionFinished, record.value)
    except PoisonError:
        return []
    served = Served.model_validate(finished.model_dump(include=set(Served.model_fields)))
    failure = Failure(reason=FailureReason.CRASHED, detail=CRASHED)
    return [answer(record, served, ResponseStatus.FAILED, failure=failure)]
