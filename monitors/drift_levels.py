"""How far a deployment's requests have moved from its first ones: lengths, certainty, topics."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from monitors.drift.categorical import CategoryDrift, CategoryReference, fit_categories
from monitors.drift.detector import Alarm
from monitors.drift.scalar import ScalarDrift, ScalarReference, fit_scalar
from monitors.monitor import Snapshot, finding
from monitors.rates import EXEMPLARS_MAX
from monitors.state import dump, load
from monitors.wording import examples
from schemas.requests import ResponseReleased
from schemas.watching import Finding, Observation

EVERY = timedelta(seconds=30)
_REMEMBERED = 200
"""Conversations that are known as known; each counts with one event."""

NUMBERS: dict[str, Callable[[ResponseReleased], float | None]] = {
    "prompt_chars": lambda response: response.prompt_chars or None,
    "answer_tokens": lambda response: response.usage.completion_tokens or None,
    "mean_logprob": lambda response: response.mean_logprob,
}
CATEGORIES: dict[str, Callable[[ResponseReleased], str | None]] = {
    "topic": lambda response: response.route.topic if response.route else None,
    "outcome": lambda response: response.status.value,
}


@dataclass
class _Series:
    """One thing that is followed, first until enough is known of it."""

    first: list[float | str] = field(default_factory=list)
    numbers: ScalarReference | None = None
    categories: CategoryReference | None = None
    stands: Snapshot = field(default_factory=dict)
    level: float = 0.0
    alarm: Alarm | None = None
    events: int = 0
    exemplars: list[str] = field(default_factory=list)


@dataclass
class _State:
    version: str | None = None
    since_at: datetime | None = None
    conversations: list[str] = field(default_factory=list)
    series: dict[str, _Series] = field(default_factory=dict)


class DriftLevels:
    """State twice a minute how far requests have moved from the first; it never alerts by itself.

    Followed are lengths of prompts and answers, the answers' mean log-probability, topics and
    outcomes, each by a chart whose limit stands for the stated average run length without drift. A
    value is the chart's highest level since the last, its limit being 1; beyond that the finding
    says what moved, with the requests at which it did, and the chart starts afresh. A conversation
    counts with its first event alone. Another version of the deployment is another beginning.

    Args:
        warmup: Events that say what is usual.
        arl: Events of a series between false alarms, on average.
    """

    name = "drift"
    version = "1"

    def __init__(self, warmup: int = 500, arl: float = 1000) -> None:
        self._warmup = warmup
        self._arl = arl
        self._state = _State()
        self._detectors: dict[str, ScalarDrift | CategoryDrift] = {}

    def observe(self, observation: Observation) -> list[Finding]:
        """Take in one response, or state the levels when it is time."""
        response, at = observation.response, observation.occurred_at
        if response is not None and response.served is not None:
            self._begin(response.served.deployment_version)
            self._state.since_at = self._state.since_at or at
            if self._is_new(response.served.conversation_id):
                self._take(response)
        elif observation.response is None and self._is_time(at):
            self._state.since_at, since = at, self._state.since_at
            return [
                self._state_level(observation, name, series, since)
                for name, series in self._state.series.items()
                if series.events
            ]
        return []

    def _begin(self, version: str) -> None:
        if version != self._state.version:
            self._state = _State(version)
            self._detectors = {}

    def _is_time(self, at: datetime) -> bool:
        return self._state.since_at is not None and at >= self._state.since_at + EVERY

    def _is_new(self, conversation: str | None) -> bool:
        known = self._state.conversations
        if conversation is None:
            return True
        if conversation in known:
            return False
        known.append(conversation)
        del known[:-_REMEMBERED]
        return True

    def _take(self, response: ResponseReleased) -> None:
        for name, read in NUMBERS.items():
            number = read(response)
            if number is not None:
                self._follow(name, float(number), response.request_id)
        for name, tell in CATEGORIES.items():
            category = tell(response)
            if category is not None:
                self._follow(name, category, response.request_id)

    def _follow(self, name: str, value: float | str, request_id: str) -> None:
        series = self._state.series.setdefault(name, _Series())
        detector = self._detectors.get(name)
        if detector is None:
            series.first.append(value)
            if len(series.first) == self._warmup:
                _learn(series, self._arl)
                self._detectors[name] = _detector(series)
            return
        series.events += 1
        if isinstance(detector, ScalarDrift):
            alarm = detector.update(float(value))
        else:
            alarm = detector.update(str(value))
        series.level = max(series.level, alarm.level if alarm else detector.level)
        if alarm:
            series.alarm = alarm
            series.exemplars = [request_id, *series.exemplars][:EXEMPLARS_MAX]

    def _state_level(
        self, observation: Observation, name: str, series: _Series, since: datetime | None
    ) -> Finding:
        told = finding(
            self,
            observation,
            "drift_level",
            kind="value",
            segment={"series": name},
            value=series.level,
            limit=1.0,
            unit="of the limit",
            samples=series.events,
            since_at=since,
            cause=self._cause(observation.deployment, name, series),
            exemplars=tuple(series.exemplars),
        )
        series.level, series.events = 0.0, 0
        series.alarm, series.exemplars = None, []
        return told

    def _cause(self, deployment: str, name: str, series: _Series) -> str:
        if series.alarm is None:
            return ""
        grown = ", ".join(series.alarm.grown)
        moved = f"grown: {grown}" if grown else f"{series.alarm.chart} than it was"
        promise = self._detectors[name].promise
        stated = f"an average of {promise.arl:.0f} events between false alarms"
        return (
            f"{name}: {moved} in the first {self._warmup} of version {self._state.version}; "
            f"{stated}{f' cannot be promised: {promise.reason}' if promise.reason else ''}; "
            f"deployment {deployment}{examples(series.exemplars)}"
        )

    def snapshot(self) -> Snapshot:
        """Return the whole state as JSON."""
        for name, detector in self._detectors.items():
            self._state.series[name].stands = detector.snapshot()
        return dump(self._state)

    def restore(self, snapshot: Snapshot) -> None:
        """Take on the state that :meth:`snapshot` returned."""
        self._state = load(_State, snapshot)
        self._detectors = {}
        for name, series in self._state.series.items():
            if series.numbers or series.categories:
                self._detectors[name] = _detector(series)
                self._detectors[name].restore(series.stands)


def _learn(series: _Series, arl: float) -> None:
    numbers: Sequence[float] = [value for value in series.first if isinstance(value, float)]
    if numbers:
        series.numbers = fit_scalar(numbers, arl)
    else:
        series.categories = fit_categories([str(value) for value in series.first], arl)
    series.first = []


def _detector(series: _Series) -> ScalarDrift | CategoryDrift:
    if series.numbers is not None:
        return ScalarDrift(series.numbers)
    assert series.categories is not None
    return CategoryDrift(series.categories)
