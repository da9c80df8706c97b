"""Observations for tests: one stream of a deployment, its time and its offsets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from monitors.vectors import Floats, packed
from schemas.base import Origin
from schemas.embeddings import TextEmbedded
from schemas.evaluations import GuardAttacked
from schemas.improving import (
    DeploymentChanged,
    FeedbackReceived,
    ReferenceReset,
    RolloverStep,
    ScaleDecided,
)
from schemas.requests import ResponseReleased, ResponseStatus, Route, Served, Timings, Usage
from schemas.topics import (
    CONTROL,
    EMBEDDINGS,
    EVALUATIONS,
    FEEDBACK,
    OBSERVATIONS,
    REQUESTS,
    RESPONSES,
    VERDICTS,
)
from schemas.verdicts import Direction, Outcome, Span, TextScanned, Verdict
from schemas.watching import (
    Observation,
    PoolObserved,
    Registered,
    RequestOpened,
    RequestSettled,
)

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


class Stream:
    """Makes observations of one deployment: event time is what :meth:`after` makes it.

    Every observation has its own origin, as the records of a partition have.

    >>> stream = Stream("bank")
    >>> stream.after(1.5).tick().occurred_at.isoformat()
    '2024-05-01T12:00:01.500000+00:00'
    """

    def __init__(self, deployment: str = "bank", began_at: datetime = NOON) -> None:
        self.deployment = deployment
        self.now = began_at
        self._offsets: dict[str, int] = {}

    def after(self, elapsed_s: float) -> Stream:
        """Let time pass and return the stream itself."""
        self.now += timedelta(seconds=elapsed_s)
        return self

    def tick(self) -> Observation:
        """Return that only time has passed."""
        return self._observation(OBSERVATIONS.name)

    def response(
        self,
        request_id: str,
        *,
        latency_s: float = 1.0,
        generation_s: float | None = None,
        ttft_s: float = 0.1,
        queue_s: float = 0.0,
        tokens: int = 24,
        topic: str = "card",
        pool: str | None = "small",
        status: ResponseStatus = ResponseStatus.RELEASED,
        guards: Sequence[str] = (),
        mean_logprob: float | None = None,
        metadata: Mapping[str, str] | None = None,
        text: str = "",
    ) -> Observation:
        """Return an answer that came ``latency_s`` after its request; without a pool, none did."""
        asked_at = self.now - timedelta(seconds=latency_s)
        timings = Timings(
            admitted_at=asked_at,
            taken_at=asked_at,
            queue_s=queue_s,
            ttft_s=ttft_s,
            generation_s=latency_s if generation_s is None else generation_s,
        )
        origin = self._origin(RESPONSES.name)
        request = Origin(topic=REQUESTS.name, partition=0, offset=origin.offset)
        served = Served(
            request_id=request_id,
            workspace="default",
            deployment=self.deployment,
            deployment_version="1",
            policy="default",
            policy_version="1",
            metadata=dict(metadata or {}),
            requested_at=asked_at,
            deadline_at=asked_at + timedelta(seconds=300),
            origin=request,
        )
        response = ResponseReleased(
            event_id=origin.cause("response"),
            occurred_at=self.now,
            request_id=request_id,
            workspace="default",
            deployment=self.deployment,
            status=status,
            guards=tuple(guards),
            text_masked=text,
            mean_logprob=mean_logprob,
            served=served,
            pool=pool,
            route=Route(pool=pool, topic=topic, difficulty=0.2, reason="easy") if pool else None,
            usage=Usage(completion_tokens=tokens if pool else 0),
            timings=timings if pool else None,
            requested_at=asked_at,
            origin=request,
        )
        return self._observation(origin, response=response)

    def rated(self, request_id: str, rating: int | None) -> Observation:
        """Return what a person says of an answer, 1 to 5."""
        origin = self._origin(FEEDBACK.name)
        rated = FeedbackReceived(
            event_id=origin.cause("feedback"),
            occurred_at=self.now,
            request_id=request_id,
            deployment=self.deployment,
            author="",
            rating=rating,
        )
        return self._observation(origin, rated=rated)

    def scanned(
        self,
        request_id: str,
        verdicts: Sequence[Verdict],
        direction: Direction = Direction.PROMPT,
        metadata: Mapping[str, str] | None = None,
    ) -> Observation:
        """Return the verdicts on one text."""
        origin = self._origin(VERDICTS.name)
        text = TextScanned(
            event_id=origin.cause("scan"),
            occurred_at=self.now,
            request_id=request_id,
            workspace="default",
            deployment=self.deployment,
            deployment_version="1",
            policy="default",
            policy_version="1",
            direction=direction,
            text_sha256="0" * 64,
            metadata=dict(metadata or {}),
            verdicts=tuple(verdicts),
            origin=Origin(topic=REQUESTS.name, partition=0, offset=origin.offset),
        )
        return self._observation(origin, scanned=text)

    def embedded(
        self,
        request_id: str,
        vector: Floats,
        direction: Literal[Direction.PROMPT, Direction.ANSWER] = Direction.PROMPT,
        *,
        topic: str | None = None,
        conversation_id: str | None = None,
        version: str = "1",
    ) -> Observation:
        """Return where a text lies."""
        origin = self._origin(EMBEDDINGS.name)
        text = TextEmbedded(
            event_id=origin.cause("embedded"),
            occurred_at=self.now,
            request_id=request_id,
            workspace="default",
            deployment=self.deployment,
            deployment_version=version,
            conversation_id=conversation_id,
            requested_at=self.now,
            direction=direction,
            topic=topic,
            text_sha256="0" * 64,
            model="minilm",
            vector=packed(vector),
            share=0.5,
            latency_ms=8.0,
            origin=Origin(topic=RESPONSES.name, partition=0, offset=origin.offset),
        )
        return self._observation(origin, embedded=text)

    def reset(self, series: str | None = None, reason: str = "a new season") -> Observation:
        """Return a person's word that references are to begin anew."""
        origin = self._origin(FEEDBACK.name)
        word = ReferenceReset(
            event_id=origin.cause("reset"),
            occurred_at=self.now,
            deployment=self.deployment,
            series=series,
            author="ada",
            reason=reason,
        )
        return self._observation(origin, reset=word)

    def pool(
        self, live_workers: int, waiting_requests: int = 0, pool: str = "small"
    ) -> Observation:
        """Return how a pool stands."""
        stands = PoolObserved(
            pool=pool, live_workers=live_workers, waiting_requests=waiting_requests
        )
        return self._observation(OBSERVATIONS.name, pool=stands)

    def opened(self, offset: int, request_id: str, deadline_s: float = 300.0) -> Observation:
        """Return that the request at ``offset`` was put on the log now."""
        opened = RequestOpened(
            request_id=request_id, deadline_at=self.now + timedelta(seconds=deadline_s)
        )
        return self._observation(request_at(offset), opened=opened)

    def settled(
        self, offset: int, outcome: str = "released", by: Literal["answer", "letter"] = "answer"
    ) -> Observation:
        """Return that the request at ``offset`` ended, as an answer or as a dead letter."""
        topic = RESPONSES.name if by == "answer" else "llm.deadletter.v1"
        return self._observation(
            topic, settled=RequestSettled(request=request_at(offset), outcome=outcome)
        )

    def attacked(
        self, guard_version: str, found: int, samples: int = 200, *, attack: str = "swap"
    ) -> Observation:
        """Return what a version of a guard finds under an attack."""
        origin = self._origin(EVALUATIONS.name)
        event = GuardAttacked(
            event_id=origin.cause("attacked"),
            occurred_at=self.now,
            guard="injection",
            guard_version=guard_version,
            attack=attack,
            kind="character",
            data_version="d1",
            threshold=0.5,
            samples=samples,
            found_unattacked=samples,
            found=found,
            queries=5.0,
        )
        return self._observation(origin, attacked=event)

    def registered(self, **said: Any) -> Observation:
        """Return what the registry says of the deployment."""
        return self._observation(OBSERVATIONS.name, registered=Registered(**said))

    def control(self, event: DeploymentChanged | RolloverStep | ScaleDecided) -> Observation:
        """Return what was decided about the deployment."""
        return self._observation(CONTROL.name, control=event)

    def _origin(self, topic: str) -> Origin:
        offset = self._offsets[topic] = self._offsets.get(topic, -1) + 1
        return Origin(topic=topic, partition=0, offset=offset)

    def _observation(self, origin: Origin | str, **payload: Any) -> Observation:
        if isinstance(origin, str):
            origin = self._origin(origin)
        return Observation(
            event_id=origin.cause("observation", self.deployment),
            occurred_at=self.now,
            deployment=self.deployment,
            origin=origin,
            **payload,
        )


def request_at(offset: int) -> Origin:
    """Return the position of a request on the log."""
    return Origin(topic=REQUESTS.name, partition=0, offset=offset)


def verdict(
    guard: str, outcome: Outcome = Outcome.PASS, labels: Sequence[str] = (), reason: str = ""
) -> Verdict:
    """Return what ``guard`` says of a text, with one span per label."""
    spans = tuple(Span(start=5 * n, end=5 * n + 4, label=label) for n, label in enumerate(labels))
    return Verdict(
        guard=guard,
        guard_version="1",
        outcome=outcome,
        score=0.0 if outcome in (Outcome.PASS, Outcome.NOT_SCANNED) else 0.9,
        threshold=0.5,
        spans=spans,
        scanned_chars=0 if outcome is Outcome.NOT_SCANNED else 40,
        total_chars=40,
        latency_ms=0.1,
        reason=reason,
        failed="open" if outcome is Outcome.NOT_SCANNED else "",
    )
