"""What every event has: a version, a deterministic id and the time it happened."""

from __future__ import annotations

from hashlib import sha1
from typing import Annotated, Any, Literal
from uuid import UUID, SafeUUID

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

EVENT_NAMESPACE = UUID("6f0a3a0e-5d2b-5c1e-9b0a-7d1de6a7e001")
_NAMESPACE = EVENT_NAMESPACE.bytes
_UUID5 = 0x5000 << 64 | 0x8000 << 48
_UUID_KEPT = (1 << 128) - 1 ^ (0xF000 << 64 | 0xC000 << 48)

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")]
"""A name people choose: of a deployment, pool, guard, monitor, rule or workspace."""

RequestId = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Labels = dict[str, str]
_DETAIL_CHARS = 1000


def _clipped(text: Any) -> Any:
    return text[:_DETAIL_CHARS] if isinstance(text, str) else text


Detail = Annotated[str, BeforeValidator(_clipped), StringConstraints(max_length=_DETAIL_CHARS)]
"""A sentence about what went wrong; a long one is cut, for it must not stop what reports it."""


def event_id(*cause: str | int | UUID) -> UUID:
    """Return the id of the event that ``cause`` gives rise to: same cause, same id.

    Args:
        cause: What made the event, from the general to the particular; usually its kind and the
            topic, partition and offset of the record it came from.

    >>> event_id("response", "llm.requests.v1", 0, 17)
    UUID('8bc31b10-9eeb-57bd-88b7-3300cf9c1d6f')
    """
    name = "|".join(map(str, cause)).encode()
    # What uuid.uuid5 does, whose detours cost more than all the rest of making an id.
    digest = sha1(_NAMESPACE + name, usedforsecurity=False).digest()
    made = object.__new__(UUID)
    object.__setattr__(made, "int", int.from_bytes(digest[:16]) & _UUID_KEPT | _UUID5)
    object.__setattr__(made, "is_safe", SafeUUID.unknown)
    return made


class Frozen(BaseModel):
    """An immutable value whose readers ignore fields they do not know."""

    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_inf_nan="null")


class Origin(Frozen):
    """The position of the record an event was made from."""

    topic: str
    partition: int = Field(ge=0)
    offset: int = Field(ge=0)

    def cause(self, kind: str, *more: str | int) -> UUID:
        """Return the id of the event of ``kind`` that this record gives rise to."""
        return event_id(kind, self.topic, self.partition, self.offset, *more)


class Event(Frozen):
    """A fact on a topic."""

    schema_version: Literal[1] = 1
    event_id: UUID
    occurred_at: AwareDatetime


def without_none(values: dict[str, Any]) -> dict[str, Any]:
    """Return ``values`` without the keys whose value is None."""
    return {key: value for key, value in values.items() if value is not None}
