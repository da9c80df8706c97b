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
_FIELDS_EXPLAINED = 5
E = TypeVar("E", bound=BaseModel)


def encode(event: Frozen) -> bytes:
    """Return ``event`` as UTF-8 JSON; fields that are None are left out."""
    # What model_dump_json does, without its way through a str.
    return event.__pydantic_serializer__.to_json(event, exclude_none=True)


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


def decode_any(topic: Topic, value: bytes | None) -> Frozen:
    """Return the event that a record of ``topic`` holds, whichever of its models it is.

    Raises:
        UnknownVersion: If its ``schema_version`` is not one this build reads.
        DecodeError: If it is no JSON, or none of the topic's events.
    """
    try:
        event: Frozen = _adapter(topic).validate_json(value or b"")
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
        said = version if isinstance(version, int) else f"of type {type(version).__name__}"
        return UnknownVersion(f"schema_version {said} is not {SCHEMA_VERSION}")
    return DecodeError(explain(error))


def explain(error: ValidationError) -> str:
    """Return what is wrong in one sentence per field, without the text that was refused.

    Not even names that the sender chose, such as keys of ``metadata``, are repeated: what this
    returns is logged and stored.
    """
    parts = []
    for item in error.errors(include_input=False, include_url=False)[:_FIELDS_EXPLAINED]:
        message = item["msg"]
        if item["type"] == "union_tag_invalid":
            message = f"type is none of {item['ctx']['expected_tags']}"
        where = ".".join(_part(part) for part in item["loc"])
        parts.append(f"{where}: {message}" if where else message)
    return "; ".join(parts)


def _part(part: int | str) -> str:
    return str(part) if isinstance(part, int) or part in _our_names() else "(a name)"


@cache
def _our_names() -> frozenset[str]:
    """Return the names of all fields that any event has, and what their ``type`` may say."""
    found: set[str] = set()
    models: list[type[BaseModel]] = [Frozen]
    while models:
        model = models.pop()
        found.update(model.model_fields)
        if kind := model.model_fields.get("type"):
            found.add(str(kind.default))
        models += model.__subclasses__()
    return frozenset(found)


def peek(value: bytes | None) -> dict[str, Any]:
    """Return the JSON object in ``value`` without checking it; empty if it holds none."""
    try:
        found = orjson.loads(value or b"")
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}
