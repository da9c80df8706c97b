"""Alarms that come too soon after each other to be chance."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from math import exp
from typing import Literal

from monitors.drift.detector import Alarm

_FASTER = 20.0
"""How much faster alarms are expected to come where there is drift."""
MARGIN = 2.0
"""A single reference may have a run length that is so much shorter than the one stated."""
_SURER = 10.0
"""By so much the evidence must have grown to be told again."""
_MOST = 1e12
_EXEMPLARS = 10
_NAMED = 3

Told = Literal["detection", "value", "recovery"]


@dataclass
class Repeated:
    """The alarms of one detector.

    Attributes:
        gap: Events since the last alarm.
        evidence: Of the Shiryaev-Roberts procedure; its expectation grows by one an alarm.
        events: Events in the run of alarms that now goes on.
        since_at: When that run began.
        alarms: How many are in it.
        charts: How often each chart spoke in it.
        grown: How often each topic was named in it.
        exemplars: Requests at which they were raised, last first.
        told: The evidence when drift was last told; 0 if it was not, or is over.
        watched: Events seen in all.
        watched_since_at: When the first of them came.
    """

    gap: int = 0
    evidence: float = 0.0
    events: int = 0
    since_at: datetime | None = None
    alarms: int = 0
    charts: dict[str, int] = field(default_factory=dict)
    grown: dict[str, int] = field(default_factory=dict)
    exemplars: list[str] = field(default_factory=list)
    told: float = 0.0
    watched: int = 0
    watched_since_at: datetime | None = None


class RepeatedAlarms:
    """Tell drift by alarms that repeat, so that false alarms are rarer than one detector's by far.

    A detector with a run length of thousands of events, which is what a reference of a thousand
    lets one calibrate, is wrong every few minutes on a busy deployment. But where drift goes on its
    alarms repeat within tens of events. The gaps between alarms are tested against gaps of half the
    stated run length, exponential; longer ones only make the test safer. The evidence is that of
    the Shiryaev-Roberts procedure for gaps that are 20 times shorter: without drift it takes, on
    average, at least as many alarms to reach a limit as the limit says.

    Args:
        state: Of the alarms so far; changed in place.
        arl: Events between the detector's false alarms, on average.
        quiet: Events between false detections, on average, at least.

    References:
        J. Shin, A. Ramdas, A. Rinaldo, "E-detectors: a nonparametric framework for sequential
        change detection", New England Journal of Statistics in Data Science (2023).

    >>> from datetime import UTC
    >>> repeated = RepeatedAlarms(Repeated(), arl=2000, quiet=10_000_000)
    >>> noon, alarm = datetime(2024, 5, 1, 12, tzinfo=UTC), Alarm("mix", 1.2, ("fees",))
    >>> [n for n in range(80) if repeated.saw(None if n % 20 else alarm, noon, f"r{n}")]
    [60]
    """

    def __init__(self, state: Repeated, arl: float, quiet: float) -> None:
        self.state = state
        self._arl = arl
        self._usual = arl / MARGIN
        self._limit = quiet / self._usual

    def saw(self, alarm: Alarm | None, at: datetime, request_id: str) -> Told | None:
        """Take in one event, with its alarm if it raised one; return what is to be told now.

        A detection is followed by values while it becomes surer, and by a recovery once no alarm
        came for a whole run length.
        """
        state = self.state
        state.watched += 1
        state.watched_since_at = state.watched_since_at or at
        state.gap += 1
        state.events += 1
        if alarm is None:
            return "recovery" if state.told and state.gap >= self._arl else None
        self._count(alarm, at, request_id)
        if state.evidence < max(self._limit, _SURER * state.told):
            return None
        told: Told = "value" if state.told else "detection"
        state.told = state.evidence
        return told

    def named(self) -> tuple[str, ...]:
        """Return the topics that alarms name most often, most first."""
        grown = self.state.grown
        return tuple(sorted(grown, key=lambda topic: (-grown[topic], topic))[:_NAMED])

    def _count(self, alarm: Alarm, at: datetime, request_id: str) -> None:
        state = self.state
        ratio = _FASTER * exp(-(_FASTER - 1) * state.gap / self._usual)
        if state.since_at is None or (ratio < 1 and not state.told):
            state.events, state.alarms, state.since_at = 1, 0, at
            state.charts, state.grown, state.exemplars = {}, {}, []
        state.evidence = min(_MOST, (1 + state.evidence) * ratio)
        state.alarms += 1
        state.gap = 0
        state.charts[alarm.chart] = state.charts.get(alarm.chart, 0) + 1
        for topic in alarm.grown:
            state.grown[topic] = state.grown.get(topic, 0) + 1
        state.exemplars = [request_id, *state.exemplars][:_EXEMPLARS]
