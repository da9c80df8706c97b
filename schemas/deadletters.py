"""Records that will never work, kept with their reason."""

from __future__ import annotations

from enum import StrEnum

from pydantic import AwareDatetime, Field

from schemas.base import Detail, Event, Origin


class DeadLetterReason(StrEnum):
    """Why a record was set aside."""

    UNDECODABLE = "undecodable"
    UNKNOWN_VERSION = "unknown_version"
    DUPLICATE_REQUEST = "duplicate_request"
    CRASHED = "crashed"


class DeadLetter(Event):
    """A record set aside: its bytes sealed, why, where it stood and who set it aside."""

    reason: DeadLetterReason
    detail: Detail = ""
    consumer: str
    request_id: str | None = None
    origin: Origin
    origin_appended_at: AwareDatetime
    value_bytes: int = Field(ge=0)
    sealed_key: str | None = None
    sealed_value: str | None = None
