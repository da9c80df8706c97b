"""Dead letters: records that will never work, set aside with their bytes sealed."""

from __future__ import annotations

from datetime import UTC, datetime

from schemas.base import Origin
from schemas.codec import encode, peek
from schemas.deadletters import DeadLetter, DeadLetterReason
from schemas.errors import DecodeError, PoisonError, UnknownVersion
from schemas.topics import DEADLETTER
from streams.log import Output, Record
from streams.sealing import Seal


def origin_of(record: Record) -> Origin:
    """Return where ``record`` stands."""
    topic, number = record.partition
    return Origin(topic=topic, partition=number, offset=record.offset)


def appended_at(record: Record) -> datetime:
    """Return the broker's time of ``record``."""
    return datetime.fromtimestamp(record.timestamp_ms / 1000, UTC)


def readable_request_id(record: Record) -> str | None:
    """Return the ``request_id`` of a record that may hold nothing else that is right."""
    found = peek(record.value).get("request_id")
    longest = 200
    return found if isinstance(found, str) and 0 < len(found) <= longest else None


def reason_of(error: Exception) -> DeadLetterReason:
    """Return why a record that raised ``error`` is set aside."""
    if isinstance(error, UnknownVersion):
        return DeadLetterReason.UNKNOWN_VERSION
    if isinstance(error, DecodeError):
        return DeadLetterReason.UNDECODABLE
    return DeadLetterReason.CRASHED


def describe(error: Exception) -> str:
    """Return what an operator may read of ``error``: our own words, else only its class."""
    return str(error)[:1000] if isinstance(error, PoisonError) else type(error).__name__


def dead_letter(
    record: Record, reason: DeadLetterReason, detail: str, *, consumer: str, seal: Seal
) -> Output:
    """Return the output that sets ``record`` aside.

    Args:
        record: The record as it lies in the log.
        reason: Why it will never work.
        detail: One sentence, without text of the record.
        consumer: The group that gives up on it.
        seal: Encrypts the record's key and value.
    """
    origin = origin_of(record)
    context = f"{origin.topic}/{origin.partition}/{origin.offset}".encode()
    letter = DeadLetter(
        event_id=origin.cause("dead_letter", consumer),
        occurred_at=appended_at(record),
        reason=reason,
        detail=detail,
        consumer=consumer,
        request_id=readable_request_id(record),
        origin=origin,
        origin_appended_at=appended_at(record),
        value_bytes=len(record.value or b""),
        sealed_key=None if record.key is None else seal.seal(record.key, context),
        sealed_value=None if record.value is None else seal.seal(record.value, context),
    )
    return Output(DEADLETTER.name, record.key, encode(letter), origin.partition)
