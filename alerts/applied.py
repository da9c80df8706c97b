"""Which records were taken in already: what comes again is skipped."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from schemas.base import Origin

EVENTS_MAX = 4_096
"""How many events of one record are told apart."""


@dataclass
class _Latest:
    """The offset of the latest record taken in, and the events that it led to."""

    offset: int
    events: dict[str, None] = field(default_factory=dict)


class Applied:
    """How far each partition was taken in.

    One record may lead to several events, each known by its id; those of one partition come in the
    order of their records, whether for the first time or again.

    >>> applied, place = Applied(), Origin(topic="t", partition=0, offset=7)
    >>> applied.is_new(place, "a"), applied.is_new(place, "b"), applied.is_new(place, "a")
    (True, True, False)
    >>> applied.is_new(place.model_copy(update={"offset": 6}), "c")
    False
    """

    def __init__(self) -> None:
        self._latest: dict[str, _Latest] = {}

    def is_new(self, record: Origin, event: object) -> bool:
        """Return whether ``event``, which ``record`` led to, was not taken in, and note it."""
        place, name = f"{record.topic}/{record.partition}", str(event)
        latest = self._latest.get(place)
        if latest is None or record.offset > latest.offset:
            latest = self._latest[place] = _Latest(record.offset)
        if record.offset < latest.offset or name in latest.events:
            return False
        latest.events[name] = None
        if len(latest.events) > EVENTS_MAX:
            del latest.events[next(iter(latest.events))]
        return True

    def snapshot(self) -> dict[str, Any]:
        """Return the whole state as JSON."""
        return {
            place: {"offset": latest.offset, "events": list(latest.events)}
            for place, latest in self._latest.items()
        }

    def restore(self, snapshot: dict[str, Any]) -> None:
        """Take on the state that :meth:`snapshot` returned."""
        self._latest = {
            place: _Latest(kept["offset"], dict.fromkeys(kept["events"]))
            for place, kept in snapshot.items()
        }
