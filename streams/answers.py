"""The events that the gate's two passes make in the same way: scanned texts and answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any

from monitors.guard import Context
from monitors.verdicts import json_of
from schemas.base import RequestId
from schemas.codec import encode
from schemas.requests import (
    TURN_END,
    Asked,
    Failure,
    FailureReason,
    ResponseReleased,
    ResponseStatus,
    Served,
)
from schemas.topics import RESPONSES, VERDICTS
from schemas.verdicts import Direction, Outcome, TextScanned, Verdict
from streams.deadletters import appended_at, origin_of
from streams.log import Output, Record

_VERDICTS = b'"verdicts":'
_NO_VERDICTS = _VERDICTS + b"[]"
_SILENT = (Outcome.PASS, Outcome.NOT_SCANNED)


def scanned(
    served: Served,
    direction: Direction,
    index: int,
    text: str,
    verdicts: Sequence[Verdict] = (),
) -> TextScanned:
    """Return the event that says what the guards found in one text of a request."""
    return TextScanned(
        event_id=served.origin.cause("scanned", direction, index),
        occurred_at=served.requested_at,
        request_id=served.request_id,
        workspace=served.workspace,
        deployment=served.deployment,
        deployment_version=served.deployment_version,
        policy=served.policy,
        policy_version=served.policy_version,
        direction=direction,
        text_index=index,
        text_sha256=sha256(text.encode()).hexdigest(),
        metadata=served.metadata if direction is Direction.PROMPT else {},
        verdicts=tuple(verdicts),
        origin=served.origin,
    )


def verdict_output(event: TextScanned, partition: int, *verdicts: Sequence[Verdict]) -> Output:
    """Return ``event``, which has no verdicts yet, with ``verdicts`` as a record of their topic.

    The bytes are those of the whole event; most verdicts say that nothing was found, and to make
    them one by one would cost more than all the rest of the event.
    """
    value = encode(event).replace(_NO_VERDICTS, _VERDICTS + json_of(*verdicts), 1)
    return Output(VERDICTS.name, event.request_id.encode(), value, partition)


def context_of(asked: Asked | None) -> Context | None:
    """Return what guards that judge an answer read beside it; None if that is not known."""
    if asked is None:
        return None
    said = [message.content for message in asked.messages]
    users = [message.content for message in asked.messages if message.role == "user"]
    question = users[-1] if users else said[-1]
    return Context(question, TURN_END.join(said), asked.passages)


def speaking(verdicts: Iterable[Verdict]) -> tuple[str, ...]:
    """Return the guards that did not pass the text, each once."""
    return tuple(dict.fromkeys(v.guard for v in verdicts if v.outcome not in _SILENT))


def answer(record: Record, served: Served, status: ResponseStatus, **said: Any) -> Output:
    """Return the one response to a request that could be read.

    Args:
        record: The record that is being worked on; its time is the answer's.
        served: What the request was and what served it.
        status: How it ended.
        said: Further fields of :class:`schemas.requests.ResponseReleased`.
    """
    response = ResponseReleased(
        event_id=served.origin.cause("response"),
        occurred_at=appended_at(record),
        request_id=served.request_id,
        workspace=served.workspace,
        deployment=served.deployment,
        status=status,
        served=served,
        requested_at=served.requested_at,
        origin=served.origin,
        **said,
    )
    return Output(RESPONSES.name, served.key.encode(), encode(response), record.partition.number)


def refusal(
    record: Record,
    request_id: RequestId,
    reason: FailureReason,
    detail: str,
    *,
    workspace: str = "",
    deployment: str = "",
) -> Output:
    """Return the response to a request of which little more than its id is known."""
    origin = origin_of(record)
    response = ResponseReleased(
        event_id=origin.cause("response"),
        occurred_at=appended_at(record),
        request_id=request_id,
        workspace=workspace,
        deployment=deployment,
        status=ResponseStatus.FAILED,
        failure=Failure(reason=reason, detail=detail[:500]),
        requested_at=appended_at(record),
        origin=origin,
    )
    return Output(RESPONSES.name, request_id.encode(), encode(response), origin.partition)
