"""State as plain dataclasses, in and out of JSON."""

from __future__ import annotations

from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter

from monitors.monitor import Snapshot

S = TypeVar("S")


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def dump(state: object) -> Snapshot:
    """Return a dataclass as JSON, nested ones and times included."""
    kind: Any = type(state)
    snapshot: Snapshot = _adapter(kind).dump_python(state, mode="json")
    return snapshot


def load(kind: type[S], snapshot: Snapshot) -> S:
    """Return the dataclass of ``kind`` that :func:`dump` made ``snapshot`` of."""
    hashable: Any = kind
    state: S = _adapter(hashable).validate_python(snapshot)
    return state
