"""What a detector of drift is: fitted on a reference, it speaks when the stream leaves that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeVar

from monitors.drift.dependence import Dependence
from monitors.monitor import Snapshot

V = TypeVar("V", contravariant=True)

FEWEST = 100
"""Events that a reference needs at least."""


@dataclass(frozen=True)
class Promise:
    """The average run length between false alarms that a detector was calibrated to.

    Attributes:
        arl: Events between false alarms, on average, while the stream stays like the reference.
        kept: Whether that can be promised.
        reason: Why not, for an operator; empty where it can.
        correlation: The correlation of an event with the one before it, as the reference shows it.
        block: Events of the reference that were drawn together in the calibration.
    """

    arl: float
    kept: bool
    reason: str = ""
    correlation: float = 0.0
    block: int = 1


def promise(arl: float, events: int, dependence: Dependence, block: int) -> Promise:
    """Return what can be promised of a limit that a reference of so many events gave."""
    reason = ""
    if dependence.present:
        reason = (
            f"events depend on the one before (correlation {dependence.correlation:.2f}), and a "
            "reference shows too little of how; take one event per conversation"
        )
    elif 2 * events < arl:
        reason = f"{events} events are too few for an average run length of {arl:.0f}"
    return Promise(
        arl=arl,
        kept=not reason,
        reason=reason,
        correlation=round(dependence.correlation, 4),
        block=block,
    )


@dataclass(frozen=True)
class Alarm:
    """The stream has left the reference.

    Attributes:
        chart: What of it moved.
        level: How far the chart stands, its limit being 1.
        grown: The topics that grew most, most first; empty where none is known.
    """

    chart: str
    level: float
    grown: tuple[str, ...] = ()


class Detector(Protocol[V]):
    """Reads a stream value by value and raises an alarm when it no longer looks like the reference.

    After an alarm it starts afresh. The same values give the same alarms; ``restore(snapshot())``
    changes nothing; the state is bounded. What was learned from the reference is not part of it.

    Attributes:
        promise: The average run length stated, and whether it can be relied upon.
    """

    @property
    def promise(self) -> Promise:
        """What was calibrated."""
        ...

    def update(self, value: V) -> Alarm | None:
        """Take in one value; return an alarm if the stream has left the reference."""
        ...

    def snapshot(self) -> Snapshot:
        """Return the state as JSON."""
        ...

    def restore(self, snapshot: Snapshot) -> None:
        """Take on the state that :meth:`snapshot` returned."""
        ...


class Levelled(Detector[V], Protocol[V]):
    """A detector that says at any time how far the stream has moved.

    Attributes:
        level: How far its charts stand since it last started afresh, the limit being 1.
    """

    @property
    def level(self) -> float:
        """How far its charts stand."""
        ...
