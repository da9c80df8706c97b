"""What a record means to the monitors: pure functions from records to observations.

Every observation follows from one record: its origin is the record's position, its time the
broker's, its id both of them. Reading a record again makes the same observations.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import AwareDatetime

from monitors.ours import Ours
from schemas.base import Frozen, Origin, RequestId
from schemas.codec import decode, decode_any
from schemas.deadletters import DeadLetter
from schemas.embeddings import TextEmbedded
from schemas.errors import PoisonError
from schemas.evaluations import GuardAttacked
from schemas.improving import BudgetSettled, FeedbackReceived, ReferenceReset
from schemas.probes import is_of_probes, probes_of
from schemas.questions import QUESTIONS_TAG
from schemas.requests import ResponseReleased
from schemas.topics import (
    CONTROL,
    DEADLETTER,
    EMBEDDINGS,
    EVALUATIONS,
    FEEDBACK,
    OBSERVATIONS,
    REQUESTS,
    RESPONSES,
    VERDICTS,
)
from schemas.verdicts import TextScanned
from schemas.watching import WHOLE_SYSTEM, Observation, RequestOpened, RequestSettled

SOURCES = (
    REQUESTS.name,
    RESPONSES.name,
    VERDICTS.name,
    EMBEDDINGS.name,
    FEEDBACK.name,
    EVALUATIONS.name,
    CONTROL.name,
    DEADLETTER.name,
)
"""The topics whose records become observations."""

ANSWER_CHARS = 200
"""So much of the text of an answer is kept to a question of our own; of no other any."""


class _Asked(Frozen):
    """The part of a request that its accounting needs."""

    request_id: RequestId
    deadline_at: AwareDatetime | None = None


class Observer:
    """Turns the records of :data:`SOURCES` into observations.

    Args:
        deployments: The deployments that are watched each by itself, and apart from them their
            probes. What concerns others, which a client may name as it likes, is only accounted
            for.
        request_deadline_s: How long a request may take that does not say so itself, in seconds.
        ours: Tells what we send from what users do.
    """

    def __init__(self, deployments: Collection[str], request_deadline_s: float, ours: Ours) -> None:
        self._ours = ours
        self._deployments = frozenset(deployments).union(map(probes_of, deployments))
        self._request_deadline = timedelta(seconds=request_deadline_s)

    def observe(self, record: Origin, at: datetime, value: bytes | None) -> list[Observation]:
        """Return what the record at ``record``, appended at ``at``, says.

        A record that cannot be read says nothing: the gate makes it a dead letter, and that speaks.
        """
        try:
            return self._read(record, at, value)
        except PoisonError:
            return []

    def _read(self, record: Origin, at: datetime, value: bytes | None) -> list[Observation]:
        if record.topic == REQUESTS.name:
            asked = decode(_Asked, value)
            deadline_at = asked.deadline_at or at + self._request_deadline
            opened = RequestOpened(request_id=asked.request_id, deadline_at=deadline_at)
            return [_observation(record, at, WHOLE_SYSTEM, opened=opened)]
        if record.topic == RESPONSES.name:
            response = decode(ResponseReleased, value)
            request = response.served.origin if response.served else response.origin
            settled = RequestSettled(request=request, outcome=response.status.value)
            whose = self._whose(response, response.requested_at)
            tags = response.served.metadata if response.served else {}
            is_answer = is_of_probes(whose) and QUESTIONS_TAG in tags
            kept = response.text_masked[:ANSWER_CHARS] if is_answer else ""
            bare = response.model_copy(update={"text": "", "text_masked": kept})
            return [
                _observation(record, at, WHOLE_SYSTEM, settled=settled),
                *self._of(record, at, whose, response=bare),
            ]
        if record.topic == VERDICTS.name:
            scanned = decode(TextScanned, value)
            whose = self._whose(scanned, scanned.occurred_at)
            return self._of(record, at, whose, scanned=scanned)
        if record.topic == EMBEDDINGS.name:
            embedded = decode(TextEmbedded, value)
            whose = self._whose(embedded, embedded.requested_at)
            return self._of(record, at, whose, embedded=embedded)
        if record.topic == EVALUATIONS.name:
            attacked = decode(GuardAttacked, value)
            return [_observation(record, at, WHOLE_SYSTEM, attacked=attacked)]
        if record.topic == FEEDBACK.name:
            feedback = decode_any(FEEDBACK, value)
            if isinstance(feedback, ReferenceReset):
                return self._of(record, at, feedback.deployment, reset=feedback)
            if not isinstance(feedback, FeedbackReceived):
                return []
            rated = feedback.model_copy(update={"author": "", "edit_masked": None})
            return self._of(record, at, feedback.deployment, rated=rated)
        if record.topic == CONTROL.name:
            control: Any = decode_any(CONTROL, value)
            if isinstance(control, BudgetSettled):
                return []
            return self._of(record, at, control.deployment, control=control)
        letter = decode(DeadLetter, value)
        if letter.origin.topic != REQUESTS.name:
            return []
        settled = RequestSettled(request=letter.origin, outcome=letter.reason.value)
        return [_observation(record, at, WHOLE_SYSTEM, settled=settled)]

    def _of(
        self, record: Origin, at: datetime, deployment: str, **payload: Any
    ) -> list[Observation]:
        if deployment not in self._deployments:
            return []
        return [_observation(record, at, deployment, **payload)]

    def _whose(
        self, event: ResponseReleased | TextScanned | TextEmbedded, requested_at: datetime
    ) -> str:
        """Return under which name the event's request is watched."""
        deployment = event.deployment
        ours = self._ours.sent(event.workspace, deployment, event.request_id, requested_at)
        return probes_of(deployment) if ours else deployment


def noted(deployment: str, **payload: Any) -> Observation:
    """Return an observation that no record made: a tick, how a pool stands, what is registered.

    It gets its origin, time and id from its own record, by :func:`placed`, when it is read.
    """
    nowhere = Origin(topic=OBSERVATIONS.name, partition=0, offset=0)
    return _observation(nowhere, datetime.now(UTC), deployment, **payload)


def placed(observation: Observation, record: Origin, at: datetime) -> Observation:
    """Return ``observation`` as it stands at ``record``, appended at ``at``.

    One made by :func:`noted` is caused by its own record; all others keep their cause.
    """
    if observation.origin.topic != OBSERVATIONS.name:
        return observation
    return observation.model_copy(
        update={
            "event_id": record.cause("observation", observation.deployment),
            "occurred_at": at,
            "origin": record,
        }
    )


def _observation(record: Origin, at: datetime, deployment: str, **payload: Any) -> Observation:
    return Observation(
        event_id=record.cause("observation", deployment),
        occurred_at=at,
        deployment=deployment,
        origin=record,
        **payload,
    )
