"""Whether what users are promised is kept: how fast failures use up what may fail."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import NamedTuple

from monitors.confidence import Rate
from monitors.monitor import Snapshot, finding
from monitors.state import dump, load
from monitors.turns import Turn
from monitors.wording import clock, examples, percent
from schemas.registry import ANSWERED, Objective
from schemas.requests import FailureReason, ResponseReleased
from schemas.watching import Finding, Observation

EXEMPLARS_MAX = 10
VALUES_EVERY = timedelta(minutes=1)
_MINUTE_S = 60
_SURE = 0.01
_REQUESTS_OWN = frozenset({FailureReason.INVALID, FailureReason.TOO_LARGE})


class Burn(NamedTuple):
    """A speed of failing that is too high if it lasts, over a long and over a short window.

    Attributes:
        factor: How many times as fast as allowed.
        long: What shows that it matters: a tenth or so of what a month may fail.
        short: What shows that it still goes on.
    """

    name: str
    factor: float
    long: timedelta
    short: timedelta


BURNS = (
    Burn("fast", 14.4, timedelta(hours=1), timedelta(minutes=5)),
    Burn("slow", 6.0, timedelta(hours=6), timedelta(minutes=30)),
)
_KEPT_MINUTES = max(burn.long for burn in BURNS) // timedelta(minutes=1)


class _Minute(NamedTuple):
    """Requests of one minute, counted from the epoch, and how many of them went badly."""

    number: int
    total: int
    missed: int


@dataclass
class _Promise:
    minutes: list[_Minute] = field(default_factory=list)
    exemplars: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def count(self, number: int, missed: bool) -> None:
        """Count one request; a late one counts for the latest minute."""
        if self.minutes and self.minutes[-1].number >= number:
            last = self.minutes.pop()
        else:
            last = _Minute(number, 0, 0)
        self.minutes.append(last._replace(total=last.total + 1, missed=last.missed + missed))
        self.minutes = self.minutes[-_KEPT_MINUTES:]

    def missed(self, now: int, window: timedelta) -> Rate:
        """Return how many requests went badly in the minutes of ``window`` up to ``now``."""
        first = now - window // timedelta(minutes=1)
        inside = [minute for minute in self.minutes if minute.number > first]
        return Rate(sum(m.missed for m in inside), sum(m.total for m in inside))

    def began_at(self, rate: float) -> datetime:
        """Return the minute since which requests have gone badly more often than at ``rate``."""
        excess = accumulate(m.missed - rate * m.total for m in reversed(self.minutes))
        _, back = max((value, -index) for index, value in enumerate(excess))
        minute = self.minutes[back - 1]
        return datetime.fromtimestamp(minute.number * _MINUTE_S, UTC)


@dataclass
class _State:
    promises: dict[str, _Promise] = field(default_factory=dict)
    values: Turn = field(default_factory=Turn)


class Slo:
    """Raise a finding when requests go badly so often that a promise to users will be broken.

    A promise that 99.9 % of requests go well allows one in a thousand to go badly; its burn rate is
    how many times that often they do. Too fast is 14.4 times over the last hour and the last five
    minutes, which uses up a fiftieth of what a month allows within the hour, or 6 times over the
    last six hours and thirty minutes. Both windows must show it for certain, by the lower end of a
    99 % interval, so that one failure among few requests raises nothing. It is over once the short
    window is below. Where a tenth or more of the requests may go badly, no rate is 14.4 times that,
    and the slow burn alone can be found.

    Args:
        objectives: What is promised.

    References:
        B. Beyer et al., "The Site Reliability Workbook" (2018), chapter 5.
    """

    name = "slo"
    version = "1"

    def __init__(self, objectives: Sequence[Objective] = (ANSWERED,)) -> None:
        self._objectives = tuple(objectives)
        self._state = _State()

    def observe(self, observation: Observation) -> list[Finding]:
        """Count one response, or look at what has been used up as time passes."""
        if observation.response is not None:
            self._count(observation.response, observation.occurred_at)
        if not observation.is_tick:
            return []
        told = [one for objective in self._objectives for one in self._look(observation, objective)]
        return told + self._values(observation)

    def _count(self, response: ResponseReleased, at: datetime) -> None:
        number = int(at.timestamp()) // _MINUTE_S
        for objective in self._objectives:
            missed = _is_missed(objective, response, at)
            if missed is None:
                continue
            promise = self._state.promises.setdefault(objective.name, _Promise())
            promise.count(number, missed)
            if missed:
                promise.exemplars = [response.request_id, *promise.exemplars][:EXEMPLARS_MAX]

    def _look(self, observation: Observation, objective: Objective) -> Iterator[Finding]:
        promise = self._state.promises.get(objective.name)
        if promise is None:
            return
        now = int(observation.occurred_at.timestamp()) // _MINUTE_S
        for burn in BURNS:
            limit = burn.factor * (1 - objective.target)
            long, short = promise.missed(now, burn.long), promise.missed(now, burn.short)
            if burn.name in promise.told:
                if short.value < limit:
                    promise.told.remove(burn.name)
                    yield self._say(observation, objective, burn, long, short)
            elif _is_above(short, limit) and _is_above(long, limit):
                promise.told.append(burn.name)
                yield self._say(observation, objective, burn, long, short)

    def _say(
        self, observation: Observation, objective: Objective, burn: Burn, long: Rate, short: Rate
    ) -> Finding:
        promise = self._state.promises[objective.name]
        allowed = 1 - objective.target
        firing = burn.name in promise.told
        shown = promise.exemplars if firing else []
        since_at = promise.began_at(burn.factor * allowed)
        missed = (
            f"{percent(long.value)} of {long.total} requests in the last {_length(burn.long)} and "
            f"{percent(short.value)} of {short.total} in the last {_length(burn.short)} missed "
            f"objective {objective.name} ({_promised(objective)})"
        )
        if firing:
            cause = (
                f"{missed}: {long.value / allowed:.1f} and {short.value / allowed:.1f} times what "
                f"it allows, since {clock(since_at)}"
            )
        else:
            cause = f"{missed}: no longer {burn.factor:g} times what it allows"
        return finding(
            self,
            observation,
            "burn_rate",
            kind="detection" if firing else "recovery",
            segment={"objective": objective.name, "burn": burn.name},
            value=long.value / allowed,
            limit=burn.factor,
            baseline=1.0,
            unit="times what is allowed",
            samples=long.total,
            since_at=since_at,
            cause=f"{cause}; deployment {observation.deployment}{examples(shown)}",
            exemplars=tuple(shown),
        )

    def _values(self, observation: Observation) -> list[Finding]:
        """Return the burn rates, if it is time."""
        state, at = self._state, observation.occurred_at
        if not state.values.comes(at, VALUES_EVERY):
            return []
        now = int(at.timestamp()) // _MINUTE_S
        told = []
        for objective in self._objectives:
            promise = state.promises.get(objective.name, _Promise())
            for burn in BURNS:
                rate = promise.missed(now, burn.long)
                if rate.total:
                    told.append(
                        finding(
                            self,
                            observation,
                            "burn_rate",
                            kind="value",
                            segment={"objective": objective.name, "burn": burn.name},
                            value=rate.value / (1 - objective.target),
                            limit=burn.factor,
                            unit="times what is allowed",
                            samples=rate.total,
                            since_at=at - burn.long,
                        )
                    )
        return told

    def snapshot(self) -> Snapshot:
        """Return the whole state as JSON."""
        return dump(self._state)

    def restore(self, snapshot: Snapshot) -> None:
        """Take on the state that :meth:`snapshot` returned."""
        self._state = load(_State, snapshot)


def _is_missed(objective: Objective, response: ResponseReleased, at: datetime) -> bool | None:
    """Return whether the request went badly; None if it does not count."""
    if response.failure is not None:
        return None if response.failure.reason in _REQUESTS_OWN else True
    if objective.ttft_s is not None:
        ttft_s = response.timings.ttft_s if response.timings else None
        if ttft_s is None:
            return None
        if ttft_s > objective.ttft_s:
            return True
    latency_s = (at - response.requested_at).total_seconds()
    return objective.latency_s is not None and latency_s > objective.latency_s


def _is_above(rate: Rate, limit: float) -> bool:
    return rate.value >= limit and rate.interval(_SURE)[0] >= limit


def _promised(objective: Objective) -> str:
    """Return an objective in words.

    >>> _promised(Objective(name="fast", target=0.95, latency_s=5, ttft_s=0.5))
    '95 % answered, within 5 s, the first token within 0.5 s'
    """
    parts = [f"{100 * objective.target:g} % answered"]
    if objective.latency_s is not None:
        parts.append(f"within {objective.latency_s:g} s")
    if objective.ttft_s is not None:
        parts.append(f"the first token within {objective.ttft_s:g} s")
    return ", ".join(parts)


def _length(window: timedelta) -> str:
    """Return a window in words.

    >>> _length(timedelta(hours=6)), _length(timedelta(minutes=5))
    ('6 h', '5 min')
    """
    minutes = window // timedelta(minutes=1)
    return f"{minutes // 60} h" if minutes >= 60 else f"{minutes} min"
