"""The series of a deployment whose drift is followed, under one version of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zlib import crc32

from pydantic import JsonValue

from monitors.drift.detector import Alarm, Promise
from monitors.drift.embedding import STRANGE
from monitors.drift.learning import Learner
from monitors.drift.series import Following, Series
from monitors.monitor import Monitor, Snapshot, finding
from monitors.state import dump, load
from monitors.wording import examples
from schemas.watching import Finding, Observation

EVERY = timedelta(seconds=30)
EXEMPLARS_MAX = 10
TAKES_OVER = 30
"""So many requests in a row of another version mean that it serves now, and not a part only."""
_REMEMBERED = 200
"""Conversations that are known as known; each counts with one event."""


@dataclass
class _State:
    version: str | None = None
    others: int = 0
    since_at: datetime | None = None
    conversations: list[int] = field(default_factory=list)
    series: dict[str, Following] = field(default_factory=dict)


class Follower:
    """Follow several series of one deployment: what is usual of each, and how far it has moved.

    The first values of a version make a series' reference. A version that takes over begins new
    ones, and so does a person's word (:class:`schemas.improving.ReferenceReset`). Each reference is
    announced as a value ``reference``, its number, when it is known, and as ``reference_ended``
    when it is no longer in force. Versions that serve a part of the requests only are left out.

    Twice a minute the level of each series is stated as ``drift_level``, its limit being 1.

    Args:
        monitor: In whose name it speaks.
        learners: The series by name, with what learns from each.
        warmup: Values that say what is usual.
        arl: Values between a series' false alarms, on average.
    """

    def __init__(
        self, monitor: Monitor, learners: Mapping[str, Learner], warmup: int, arl: float
    ) -> None:
        self._monitor = monitor
        self._arl = arl
        self._series = {
            name: Series(name, learner, warmup, arl) for name, learner in learners.items()
        }
        self._state = _State()
        self._stored: dict[str, Snapshot] = {}

    def serves(self, observation: Observation, version: str) -> tuple[bool, list[Finding]]:
        """Return whether what ``version`` made counts, and which references ended with it."""
        state = self._state
        state.since_at = state.since_at or observation.occurred_at
        if version == state.version:
            state.others = 0
            return True, []
        state.others += 1
        if state.version is not None and state.others < TAKES_OVER:
            return False, []
        known = state.version is not None
        state.version, state.others, state.conversations = version, 0, []
        return True, self._begin(observation, list(self._series), f"version {version}", known)

    def reset(self, observation: Observation) -> list[Finding]:
        """Begin new references because a person says so."""
        word = observation.reset
        if word is None or self._state.version is None:
            return []
        names = [name for name in self._series if word.series in (None, name)]
        return self._begin(observation, names, f"reset by {word.author}: {word.reason}", True)

    def _begin(
        self, observation: Observation, names: list[str], reason: str, known: bool
    ) -> list[Finding]:
        version = self._state.version or ""
        told = []
        for name in names:
            series = self._series[name]
            if series.state.learned:
                told.append(self._announce(observation, series, "reference_ended", reason))
            series.begin(version, reason if known else series.state.reason)
        return told

    def is_new(self, conversation: str | None) -> bool:
        """Return whether this is the first of a conversation; without one, it always is."""
        if conversation is None:
            return True
        mark = crc32(conversation.encode("utf-8", "replace"))
        known = self._state.conversations
        if mark in known:
            return False
        known.append(mark)
        del known[:-_REMEMBERED]
        return True

    def take(
        self, observation: Observation, name: str, item: JsonValue, request_id: str
    ) -> tuple[Alarm | None, list[Finding]]:
        """Take in a value of a series; return its alarm, and the reference if it is known now."""
        series = self._series[name]
        if series.state.learned:
            return series.watch(item, request_id, EXEMPLARS_MAX), []
        if series.gather(item, observation.occurred_at):
            return None, [self._announce(observation, series, "reference", "")]
        return None, []

    def promise(self, name: str) -> Promise | None:
        """Return what the reference of a series lets one promise; None while there is none."""
        return self._series[name].promise

    def reference(self, name: str) -> Following:
        """Return what is known of a series and its reference."""
        return self._series[name].state

    def levels(self, observation: Observation) -> list[Finding]:
        """Return how far each series has moved since that was last stated, if it is time."""
        at, since = observation.occurred_at, self._state.since_at
        if since is None or at < since + EVERY:
            return []
        self._state.since_at = at
        return [
            self._level(observation, series, since)
            for series in self._series.values()
            if series.state.events
        ]

    def _level(self, observation: Observation, series: Series, since: datetime) -> Finding:
        state = series.state
        told = finding(
            self._monitor,
            observation,
            "drift_level",
            kind="value",
            segment={"series": series.name},
            value=state.level,
            limit=1.0,
            unit="of the limit",
            samples=state.events,
            since_at=since,
            cause=self._cause(observation.deployment, series),
            exemplars=tuple(state.exemplars),
        )
        series.stated()
        return told

    def _cause(self, deployment: str, series: Series) -> str:
        alarm, promise = series.state.alarm, series.promise
        if alarm is None or promise is None:
            return ""
        return (
            f"{series.name}: {moved(alarm.chart, alarm.grown)} in {described(series.state)}; "
            f"{promised(promise)}; deployment {deployment}{examples(series.state.exemplars)}"
        )

    def _announce(
        self, observation: Observation, series: Series, metric: str, because: str
    ) -> Finding:
        state, promise = series.state, series.promise
        assert promise is not None
        why = f"ended: {because}" if because else f"because: {state.reason}"
        return finding(
            self._monitor,
            observation,
            metric,
            kind="value",
            segment={"series": series.name},
            value=float(state.sequence),
            baseline=self._arl,
            unit="number of the reference",
            samples=state.gathered,
            since_at=state.since_at,
            cause=f"{series.name}: {described(state)}, {why}; {promised(promise)}",
        )

    def learned(self) -> dict[str, Callable[[], Snapshot]]:
        """Return the parts of all series that are stored apart."""
        return {
            name: part
            for series in self._series.values()
            for name, part in series.learned().items()
        }

    def snapshot(self) -> Snapshot:
        """Return the state, without what was learned, as JSON."""
        self._state.series = {name: series.snapshot() for name, series in self._series.items()}
        return dump(self._state)

    def relearn(self, parts: Mapping[str, Snapshot]) -> None:
        """Take in stored parts, for the snapshot that is restored next."""
        self._stored = dict(parts)

    def restore(self, snapshot: Snapshot) -> None:
        """Take on what :meth:`snapshot` returned, with what was learned by now or is stored."""
        parts = {name: part() for name, part in self.learned().items()} | self._stored
        self._state, self._stored = load(_State, snapshot), {}
        for name, following in self._state.series.items():
            self._series[name].restore(following, parts)


def moved(chart: str, grown: tuple[str, ...]) -> str:
    """Return what an alarm says, as the beginning of a clause that ends in the reference.

    >>> moved("higher", ()), moved("mix", ("fees", "travel"))
    ('higher than it was', 'grown: fees, travel, against what was')
    >>> moved("strange", ("fees",))
    'nearest to fees, but stranger than what was'
    """
    named = ", ".join(grown)
    if chart == STRANGE:
        return f"{f'nearest to {named}, but ' if grown else ''}stranger than what was"
    return f"grown: {named}, against what was" if grown else f"{chart} than it was"


def described(state: Following) -> str:
    """Return which reference it is, by number, version and time."""
    assert state.since_at is not None
    assert state.until_at is not None
    return (
        f"reference {state.sequence}, the first {state.gathered:,} of version {state.version}"
        f" ({state.since_at:%Y-%m-%d %H:%M:%S} to {state.until_at:%Y-%m-%d %H:%M:%S})"
    )


def promised(promise: Promise) -> str:
    """Return the run length stated, and why it cannot be relied on if it cannot."""
    stated = f"an average of {promise.arl:,.0f} events between false alarms"
    return f"{stated} cannot be promised: {promise.reason}" if promise.reason else stated
