"""All monitors of one deployment, each observation taken in once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from monitors.causes import Causes
from monitors.drills import Drills
from monitors.monitor import Learning, Monitor, Snapshot
from monitors.state import dump, load
from schemas.base import Origin
from schemas.improving import DeploymentChanged
from schemas.watching import Finding, Observation


@dataclass
class _Kept:
    """What one monitor was told to remember, and by which version of it."""

    version: str
    state: Snapshot


@dataclass
class _State:
    applied: dict[str, int]
    monitors: dict[str, _Kept]
    causes: Snapshot = field(default_factory=dict)
    drills: _Kept | None = None


class Watch:
    """Show every observation of a deployment to its monitors, once, and gather what they say.

    A detection is given its cause, as far as the requests remembered show one. Now and then a copy
    of a monitor is drilled, see :class:`monitors.drills.Drills`.

    What was read before, by the offset of its origin in its partition, is skipped: the same record
    may come again after a restart. Findings are the same, byte for byte, however often the process
    is stopped and its snapshot restored.

    Args:
        deployment: The deployment, or :data:`schemas.watching.WHOLE_SYSTEM`.
        monitors: Its monitors; each takes what concerns it from the observations.
    """

    def __init__(self, deployment: str, monitors: Sequence[Monitor]) -> None:
        self.deployment = deployment
        self._monitors = tuple(monitors)
        self._causes = Causes()
        self._drills = Drills(self._monitors)
        self._applied: dict[str, int] = {}

    def observe(self, observation: Observation) -> list[Finding]:
        """Take in ``observation`` unless it was before; return what the monitors say to it.

        Raises:
            ValueError: If it is another deployment's.
        """
        if observation.deployment != self.deployment:
            raise ValueError(
                f"an observation of {observation.deployment!r}, not {self.deployment!r}"
            )
        if self._has_applied(observation.origin):
            return []
        self._causes.observe(observation)
        findings = [told for monitor in self._monitors for told in monitor.observe(observation)]
        self._applied[_place(observation.origin)] = observation.origin.offset
        findings += self._drills.observe(observation, findings)
        return [self._causes.explain(found) for found in findings]

    def announced(self, observation: Observation) -> DeploymentChanged | None:
        """Return what is to be announced because of ``observation``, before it is observed.

        Nothing is announced because of what was read before.
        """
        if self._has_applied(observation.origin):
            return None
        return self._causes.announced(observation)

    def _has_applied(self, origin: Origin) -> bool:
        return origin.offset <= self._applied.get(_place(origin), -1)

    def learned(self) -> dict[str, Callable[[], Snapshot]]:
        """Return what monitors learned, in parts by name; what a name stands for never changes."""
        return {
            f"{_shelf(monitor)}{name}": part
            for monitor in self._monitors
            if isinstance(monitor, Learning)
            for name, part in monitor.learned().items()
        }

    def relearn(self, parts: Mapping[str, Snapshot]) -> None:
        """Take in stored parts, for the snapshot that is restored next."""
        for monitor in self._monitors:
            if isinstance(monitor, Learning):
                shelf = _shelf(monitor)
                monitor.relearn(
                    {
                        name.removeprefix(shelf): part
                        for name, part in parts.items()
                        if name.startswith(shelf)
                    }
                )

    def snapshot(self) -> Snapshot:
        """Return how far each partition was read and the state of every monitor, as JSON."""
        kept = {m.name: _Kept(m.version, m.snapshot()) for m in self._monitors}
        drills = _Kept(self._drills.version, self._drills.snapshot())
        return dump(_State(self._applied, kept, self._causes.snapshot(), drills))

    def restore(self, snapshot: Snapshot) -> None:
        """Take on what :meth:`snapshot` returned; a monitor of another version starts afresh."""
        state = load(_State, snapshot)
        self._applied = state.applied
        if state.causes:
            self._causes.restore(state.causes)
        for monitor in self._monitors:
            kept = state.monitors.get(monitor.name)
            if kept is not None and kept.version == monitor.version:
                monitor.restore(kept.state)
        if state.drills is not None and state.drills.version == self._drills.version:
            self._drills.restore(state.drills.state)


def _shelf(monitor: Monitor) -> str:
    return f"{monitor.name}-{monitor.version}/"


def _place(origin: Origin) -> str:
    return f"{origin.topic}/{origin.partition}"
