"""Records as rows of the store: the event's own JSON, with its position in front.

Nothing is decoded that need not be. Two topics carry raw text, and none of it leaves for the store:
of a request its digest and length, of a response the masked text.
"""

from __future__ import annotations

from typing import Any

import orjson

from schemas.codec import SCHEMA_VERSION, decode
from schemas.errors import DecodeError, PoisonError, UnknownVersion
from schemas.requests import CompletionRequested
from schemas.topics import REQUESTS, RESPONSES, topic_of
from streams.deadletters import appended_at, origin_of
from streams.log import Record

_LEFT_OUT = frozenset({"kafka_topic", "kafka_partition", "kafka_offset", "appended_at"})
"""What a row says of its record, and an event cannot."""


def row_of(record: Record) -> bytes:
    """Return the row that ``record`` becomes.

    Raises:
        UnknownVersion: If this build cannot read it.
        DecodeError: If it is no event.
    """
    topic = topic_of(record.partition.topic)
    if topic is REQUESTS:
        return _spliced(record, orjson.dumps(_request_row(record)))
    value = record.value or b""
    try:
        event = orjson.loads(value)
    except orjson.JSONDecodeError as error:
        raise DecodeError(f"no JSON: {error}") from error
    if not isinstance(event, dict) or not event:
        raise DecodeError("no JSON object")
    if event.get("schema_version", SCHEMA_VERSION) != SCHEMA_VERSION:
        raise UnknownVersion(f"schema_version is not {SCHEMA_VERSION}")
    left_out = _LEFT_OUT | {"text"} if topic is RESPONSES else _LEFT_OUT
    if not left_out.isdisjoint(event):
        value = orjson.dumps({key: event[key] for key in event if key not in left_out})
    return _spliced(record, value)


def rows_of(
    records: list[Record],
) -> tuple[list[bytes], list[Record], list[tuple[Record, PoisonError]]]:
    """Return the rows of ``records``, the records they come from, and those that are no events."""
    rows: list[bytes] = []
    good: list[Record] = []
    bad: list[tuple[Record, PoisonError]] = []
    for record in records:
        try:
            rows.append(row_of(record))
        except PoisonError as error:
            bad.append((record, error))
        else:
            good.append(record)
    return rows, good, bad


def _spliced(record: Record, value: bytes) -> bytes:
    topic, number = record.partition
    position = (
        f'{{"kafka_topic":"{topic}","kafka_partition":{number},"kafka_offset":{record.offset},'
        f'"appended_at":{record.timestamp_ms},'
    )
    return position.encode() + value.lstrip()[1:]


def _request_row(record: Record) -> dict[str, Any]:
    request = decode(CompletionRequested, record.value)
    row = request.model_dump(
        mode="json",
        include={
            "schema_version",
            "request_id",
            "workspace",
            "deployment",
            "conversation_id",
            "metadata",
            "deadline_at",
        },
        exclude_none=True,
    )
    return row | {
        "event_id": str(request.event_id or origin_of(record).cause("request")),
        "occurred_at": (request.occurred_at or appended_at(record)).isoformat(),
        "prompt_sha256": request.prompt_sha256,
        "prompt_chars": len(request.prompt_text),
        "passages": len(request.passages),
        "max_tokens": request.sampling.max_tokens,
    }
