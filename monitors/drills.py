"""Whether monitors still see a change: one is planted in a copy of what they read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, NamedTuple
from zlib import crc32

from monitors.monitor import Monitor, Snapshot, finding
from monitors.refusal import Refusal
from monitors.state import dump, load
from monitors.wording import clock, seconds
from schemas.requests import Failure, FailureReason, ResponseReleased, ResponseStatus
from schemas.verdicts import Direction, Outcome, Verdict
from schemas.watching import Finding, Observation

EVERY = timedelta(hours=1)
KNOWN = 1_000
LONGEST = timedelta(hours=12)
"""A drill for which too few events come by then tells nothing."""

Kind = Literal["response", "scanned", "pool"]


class Drill(NamedTuple):
    """A change that a monitor must see.

    Attributes:
        monitor: Its name.
        planted: What is changed, in words.
        kind: Which observations it is planted in.
        shift: Returns the changed observation; None for one that does not count.
        events: A monitor that is silent after so many changed ones has missed it,
        within: if this much time has passed, too.
    """

    monitor: str
    planted: str
    kind: Kind
    shift: Callable[[Observation], Observation | None]
    events: int = 500
    within: timedelta = timedelta(minutes=5)


def _slow(observation: Observation) -> Observation | None:
    response = observation.response
    if response is None or response.pool is None or response.timings is None:
        return None
    taken, timings = observation.occurred_at - response.requested_at, response.timings
    ttft_s = None if timings.ttft_s is None else 5 * timings.ttft_s + 1
    slower = {"requested_at": observation.occurred_at - 5 * taken - timedelta(seconds=1)}
    return _answered(
        observation, response, **slower, timings=timings.model_copy(update={"ttft_s": ttft_s})
    )


def _long(observation: Observation) -> Observation | None:
    response = observation.response
    if response is None or not response.usage.completion_tokens:
        return None
    tokens = {"completion_tokens": 5 * response.usage.completion_tokens}
    return _answered(observation, response, usage=response.usage.model_copy(update=tokens))


def _elsewhere(observation: Observation) -> Observation | None:
    response = observation.response
    if response is None or response.route is None:
        return None
    if not _is_chosen(response.request_id):
        return observation
    route = response.route.model_copy(update={"topic": "drill"})
    return _answered(observation, response, route=route)


def _failing(observation: Observation) -> Observation | None:
    response = observation.response
    if response is None:
        return None
    failure = Failure(reason=FailureReason.ENGINE)
    return _answered(observation, response, status=ResponseStatus.FAILED, failure=failure)


def _declining(observation: Observation) -> Observation | None:
    return _flagged(observation, Direction.ANSWER, lambda verdict: verdict.guard == Refusal.name)


def _found(observation: Observation) -> Observation | None:
    return _flagged(observation, Direction.PROMPT, lambda verdict: not verdict.reason)


def _abandoned(observation: Observation) -> Observation | None:
    if observation.pool is None:
        return None
    pool = observation.pool.model_copy(update={"live_workers": 0})
    return observation.model_copy(update={"pool": pool})


def _answered(
    observation: Observation, response: ResponseReleased, **changed: object
) -> Observation:
    changed_response = response.model_copy(update=changed)
    return observation.model_copy(update={"response": changed_response})


def _flagged(
    observation: Observation, direction: Direction, wanted: Callable[[Verdict], bool]
) -> Observation | None:
    """Return half of the texts with the first wanted verdict as if the guard had spoken."""
    scanned = observation.scanned
    if scanned is None or scanned.direction is not direction:
        return None
    place = next((n for n, verdict in enumerate(scanned.verdicts) if wanted(verdict)), None)
    if place is None:
        return None
    if not _is_chosen(scanned.request_id):
        return observation
    verdicts = list(scanned.verdicts)
    verdicts[place] = verdicts[place].model_copy(update={"outcome": Outcome.FLAG, "score": 1.0})
    changed = scanned.model_copy(update={"verdicts": tuple(verdicts)})
    return observation.model_copy(update={"scanned": changed})


def _is_chosen(request_id: str) -> bool:
    return crc32(request_id.encode()) % 2 == 0


DRILLS = (
    Drill("latency", "answers that took five times as long", "response", _slow),
    Drill("ttft", "first tokens that took five times as long", "response", _slow),
    Drill("length", "answers five times as long", "response", _long),
    Drill("drift", "answers five times as long", "response", _long),
    Drill("topic_shift", "every other request on a topic of its own", "response", _elsewhere),
    Drill("refusals", "every other answer declined", "scanned", _declining),
    Drill("guard_rates", "every other prompt flagged", "scanned", _found),
    Drill("slo", "requests that failed", "response", _failing, within=timedelta(hours=6)),
    Drill("pools", "pools without a worker", "pool", _abandoned, events=60),
)


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
    """``open`` counts the changes that a monitor of a version has told and not ended."""

    deployment_version: str | None = None
    seen: Counter[str] = field(default_factory=Counter)
    open: Counter[str] = field(default_factory=Counter)
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
        state, response = self._state, observation.response
        if response is not None and response.served is not None:
            version = response.served.deployment_version
            if version != state.deployment_version:
                state.deployment_version, state.seen = version, Counter()
                if state.running is not None:
                    self._stop(observation.occurred_at)
        if response is not None:
            state.seen["response"] += 1
        elif observation.scanned is not None:
            state.seen["scanned"] += 1
        elif observation.pool is not None:
            state.seen["pool"] += 1
        for one in told:
            if one.kind == "value":
                continue
            place = f"{one.monitor}/{one.monitor_version}"
            state.open[place] += 1 if one.kind == "detection" else -min(1, state.open[place])
            if state.running is not None and one.monitor == state.running.monitor:
                self._stop(observation.occurred_at)

    def _begin(self, at: datetime) -> None:
        """Begin the next drill whose monitor can be expected to see anything."""
        state, count = self._state, len(self._drills)
        for place in ((state.next + step) % count for step in range(count)):
            drill = self._drills[place]
            live = self._monitors[drill.monitor]
            if state.seen[drill.kind] >= self._known and not state.open[_place(live)]:
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
    beyond = told.monitor == "drift" and told.limit is not None and told.value > told.limit
    return told.kind == "detection" or beyond
