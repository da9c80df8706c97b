"""What a monitor is: it sees what happens to one deployment and says when something changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, runtime_checkable

from pydantic import JsonValue

from schemas.base import Labels, event_id
from schemas.watching import Finding, Observation

Snapshot = dict[str, JsonValue]


class Monitor(Protocol):
    """A pure observer of one deployment, with bounded state and no clock of its own.

    The same observations give the same findings; ``restore(snapshot())`` changes nothing.

    Attributes:
        name: Unique among the monitors.
        version: Changes whenever the same observations may give other findings.
    """

    name: str
    version: str

    def observe(self, observation: Observation) -> list[Finding]:
        """Take in what happened (or that only time passed) and return what there is to say.

        Time is ``observation.occurred_at``. An observation without a payload is a tick; one comes
        every 5 s.
        """
        ...

    def snapshot(self) -> Snapshot:
        """Return the whole state as JSON."""
        ...

    def restore(self, snapshot: Snapshot) -> None:
        """Take on the state that :meth:`snapshot` returned."""
        ...


@runtime_checkable
class Learning(Monitor, Protocol):
    """A monitor that learns more than its snapshot holds, which is stored apart from that.

    What it learned comes in parts under names; what a name stands for never changes, so a part is
    stored once, and goes when it is no longer named. A snapshot may speak of parts named when it
    was taken: they are given back before it is restored.
    """

    def learned(self) -> Mapping[str, Callable[[], Snapshot]]:
        """Return the parts that are in force, each as what makes its JSON."""
        ...

    def relearn(self, parts: Mapping[str, Snapshot]) -> None:
        """Take in stored parts, for the snapshot that is restored next; others are passed over."""
        ...


def finding(monitor: Monitor, observation: Observation, metric: str, /, **said: Any) -> Finding:
    """Return the finding of ``monitor`` about ``metric`` that ``observation`` gave rise to.

    Its id follows from monitor, metric, segment and the observation's origin: what is said again
    after a restart is the same event.

    Args:
        monitor: Who speaks.
        observation: What made it speak.
        metric: What was measured.
        said: Further fields of :class:`schemas.watching.Finding`, ``kind`` and ``value`` at least.
    """
    segment: Labels = said.get("segment", {})
    marks = [f"{name}={segment[name]}" for name in sorted(segment)]
    origin = observation.origin
    return Finding(
        event_id=event_id(
            "finding",
            monitor.name,
            observation.deployment,
            metric,
            *marks,
            said["kind"],
            origin.topic,
            origin.partition,
            origin.offset,
        ),
        occurred_at=observation.occurred_at,
        monitor=monitor.name,
        monitor_version=monitor.version,
        deployment=observation.deployment,
        metric=metric,
        origin=origin,
        **said,
    )
