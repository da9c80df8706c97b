"""Whether monitors still see a change: one is planted in a copy of what they read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import get_args

from monitors.monitor import Learning, Monitor, Snapshot, finding
from monitors.planted_changes import DRILLS, Drill, Kind
from monitors.state import dump, load
from monitors.wording import clock, seconds
from schemas.watching import Finding, Observation

EVERY = timedelta(hours=1)
KNOWN = 1_000
LONGEST = timedelta(hours=12)
"""A drill for which too few events come by then tells nothing."""
_REFERENCES = {"reference": 1, "reference_ended": -1}
"""What monitors that learn say when they know what is usual, and when that no longer holds."""


@dataclass
class _Running:
    """A drill under way; ``twin`` is the state of the copy, in snapshots alone."""

    monitor: str
    monitor_version: str
    began_at: datetime
    events: int = 0
    twin: Snapshot = field(default_factory=dict)


@dataclass
class _State:
    """``open`` counts the changes that a monitor of a version has told and not ended.

    ``references`` counts what those that learn from the stream compare it with.
    """

    seen: Counter[str] = field(default_factory=Counter)
    open: Counter[str] = field(default_factory=Counter)
    references: Counter[str] = field(default_factory=Counter)
    missed: list[str] = field(default_factory=list)
    next: int = 0
    due_at: datetime | None = None
    running: _Running | None = None


class Drills:
    """Say whether a deployment's monitors see a change, and raise a finding if one does not.

    Once an hour one of them is copied, as it stands, and the copy reads what the deployment's
    monitors read, with a change planted in it from then on, until it speaks. How many changed
    events that took is stated; a copy that says nothing of hundreds of them is a finding, and that
    a later one spoke is its end. No request is sent for it. A drill during which the monitor itself
    speaks tells nothing, and one that has told a change is not drilled before its end.

    Args:
        monitors: The deployment's own.
        every: The time from the end of a drill to the next.
        known: So many events of a kind must have come before a monitor of them is drilled.
    """

    name = "drills"
    version = "1"

    def __init__(
        self, monitors: Sequence[Monitor], every: timedelta = EVERY, known: int = KNOWN
    ) -> None:
        self._every = every
        self._known = known
        self._monitors = {monitor.name: monitor for monitor in monitors}
        self._drills = tuple(drill for drill in DRILLS if drill.monitor in self._monitors)
        self._state = _State()
        self._twin: Monitor | None = None

    def observe(self, observation: Observation, told: Sequence[Finding] = ()) -> list[Finding]:
        """Take in an observation and what the monitors said to it; go on with the drill."""
        if not self._drills:
            return []
        self._note(observation, told)
        state, at = self._state, observation.occurred_at
        if state.running is None or self._twin is None:
            state.due_at = state.due_at or at + self._every
            if at >= state.due_at:
                self._begin(at)
            return []
        drill, running = self._drills[state.next], state.running
        changed = drill.shift(observation)
        running.events += changed is not None
        for_s = at - running.began_at
        if any(_sees(one) for one in self._twin.observe(changed or observation)):
            return self._end(observation, drill, running, missed=False)
        if running.events >= drill.events and for_s >= drill.within:
            return self._end(observation, drill, running, missed=True)
        if for_s >= LONGEST:
            self._stop(at)
        return []

    def _note(self, observation: Observation, told: Sequence[Finding]) -> None:
        state = self._state
        for kind in get_args(Kind):
            state.seen[kind] += getattr(observation, kind) is not None
        for one in told:
            if one.kind == "value" and one.metric not in _REFERENCES:
                continue
            if one.kind == "value":
                state.references[one.monitor] += _REFERENCES[one.metric]
            else:
                place = f"{one.monitor}/{one.monitor_version}"
                state.open[place] += 1 if one.kind == "detection" else -min(1, state.open[place])
            if state.running is not None and one.monitor == state.running.monitor:
                self._stop(observation.occurred_at)

    def _is_ready(self, drill: Drill) -> bool:
        """Return whether a monitor can be expected to see something."""
        live, state = self._monitors[drill.monitor], self._state
        if isinstance(live, Learning):
            knows = state.references[live.name] > 0
        else:
            knows = state.seen[drill.kind] >= self._known
        return knows and not state.open[_place(live)]

    def _begin(self, at: datetime) -> None:
        """Begin the next drill whose monitor can be expected to see anything."""
        state, count = self._state, len(self._drills)
        for place in ((state.next + step) % count for step in range(count)):
            drill = self._drills[place]
            if self._is_ready(drill):
                live = self._monitors[drill.monitor]
                state.next, self._twin = place, deepcopy(live)
                state.running = _Running(live.name, live.version, at)
                return
        state.due_at = at + self._every

    def _stop(self, at: datetime) -> None:
        """Leave the drill, and go on with the next in its time."""
        state = self._state
        self._twin = state.running = None
        state.next = (state.next + 1) % len(self._drills)
        state.due_at = at + self._every

    def _end(
        self, observation: Observation, drill: Drill, running: _Running, missed: bool
    ) -> list[Finding]:
        self._stop(observation.occurred_at)
        return list(self._say(observation, drill, running, missed))

    def _say(
        self, observation: Observation, drill: Drill, running: _Running, missed: bool
    ) -> Iterator[Finding]:
        about = {"segment": {"monitor": drill.monitor}, "samples": running.events}
        since = {"since_at": running.began_at}
        yield finding(self, observation, "sensitivity", kind="value", value=float(not missed),
                      unit="share of drills", **about, **since)  # fmt: skip
        if not missed:
            yield finding(self, observation, "delay_events", kind="value",
                          value=float(running.events), unit="events", **about, **since)  # fmt: skip
        known = self._state.missed
        if missed is (drill.monitor in known):
            return
        known.remove(drill.monitor) if not missed else known.append(drill.monitor)
        for_s = (observation.occurred_at - running.began_at).total_seconds()
        saw = "said nothing" if missed else "speaks again"
        yield finding(
            self,
            observation,
            "sensitivity",
            kind="detection" if missed else "recovery",
            value=float(not missed),
            baseline=1.0,
            unit="share of drills",
            cause=(
                f"monitor {drill.monitor} {saw} in a drill: {drill.planted}, {running.events} "
                f"events in {seconds(for_s)} since {clock(running.began_at)}, in a copy of what "
                f"it reads; deployment {observation.deployment}"
            ),
            **about,
            **since,
        )

    def snapshot(self) -> Snapshot:
        """Return the whole state as JSON."""
        if self._state.running is not None and self._twin is not None:
            self._state.running.twin = self._twin.snapshot()
        return dump(self._state)

    def restore(self, snapshot: Snapshot) -> None:
        """Take on the state that :meth:`snapshot` returned; another version ends its drill."""
        state = self._state = load(_State, snapshot)
        running, self._twin = state.running, None
        if running is None:
            return
        drilled = self._drills[state.next % len(self._drills)].monitor
        live = self._monitors.get(running.monitor)
        if live is None or live.version != running.monitor_version or drilled != live.name:
            state.running = None
            return
        self._twin = deepcopy(live)
        self._twin.restore(running.twin)


def _place(monitor: Monitor) -> str:
    return f"{monitor.name}/{monitor.version}"


def _sees(told: Finding) -> bool:
    """Return whether a monitor says that something changed; some state levels alone."""
    return told.kind == "detection" or (told.metric == "drift_level" and told.value > 1)
