"""The one way between bytes on the wire and events."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, TypeVar

import orjson
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from schemas.base import Frozen
from schemas.errors import DecodeError, UnknownVersion
from schemas.topics import Topic

SCHEMA_VERSION = 1
E = TypeVar("E", bound=BaseModel)


def encode(event: Frozen) -> bytes:
    """Return ``event`` as UTF-8 JSON; fields that are None are left out."""
    return event.model_dump_json(exclude_none=True).encode()


def decode(model: type[E], value: bytes | None) -> E:
    """Return the event of type ``model`` that ``value`` holds.

    Raises:
        UnknownVersion: If its ``schema_version`` is not one this build reads.
        DecodeError: If it is no JSON, or not such an event; the message names each field.
    """
    try:
        return model.model_validate_json(value or b"")
    except ValidationError as error:
        raise _refusal(value or b"", error) from error


def decode_any(topic: Topic, value: bytes | None) -> BaseModel:
    """Return the event that a record of ``topic`` holds, whichever of its models it is.

    Raises:
        UnknownVersion: If its ``schema_version`` is not one this build reads.
        DecodeError: If it is no JSON, or none of the topic's events.
    """
    try:
        event: BaseModel = _adapter(topic).validate_json(value or b"")
    except ValidationError as error:
        raise _refusal(value or b"", error) from error
    return event


@cache
def _adapter(topic: Topic) -> TypeAdapter[Any]:
    if len(topic.events) == 1:
        return TypeAdapter(topic.events[0])
    union: Any = topic.events[0]
    for event in topic.events[1:]:
        union = union | event
    return TypeAdapter(Annotated[union, Field(discriminator="type")])


def _refusal(value: bytes, error: ValidationError) -> DecodeError | UnknownVersion:
    version = peek(value).get("schema_version", SCHEMA_VERSION)
    if version != SCHEMA_VERSION:
        return UnknownVersion(f"schema_version {version!r} is not {SCHEMA_VERSION}")
    return DecodeError(explain(error))


def explain(error: ValidationError) -> str:
    """Return what is wrong in one sentence per field, without the text that was refused."""
    parts = []
    for item in error.errors(include_input=False, include_url=False, include_context=False)[:5]:
        where = ".".join(str(part) for part in item["loc"])
        parts.append(f"{where}: {item['msg']}" if where else item["msg"])
    return "; ".join(parts)


def peek(value: bytes | None) -> dict[str, Any]:
    """Return the JSON object in ``value`` without checking it; empty if it holds none."""
    try:
        found = orjson.loads(value or b"")
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}
