"""How long something takes, pool by pool: its quantiles, and whether it became slow."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from monitors.monitor import Snapshot, finding
from monitors.rates import EXEMPLARS_MAX, RateShift, Shift, upper_bound
from monitors.sketch import LogSketch
from monitors.state import dump, load
from monitors.turns import Turn
from monitors.wording import clock, examples, percent, seconds
from schemas.requests import ResponseReleased
from schemas.watching import Finding, Observation

SLOW_FACTOR = 2.25
"""What takes longer than this times the usual median is slow."""
NOTICED_S = 0.05
"""What takes less is never slow: nobody notices."""
USUALLY_SLOW = 0.15
"""The share of slow answers that a busy machine is always allowed."""
MOSTLY_SLOW = 0.6
MOMENT = timedelta(seconds=1)
MOMENTS_ARL = 1_000_000
POOL_WARMUP = 30
VALUES_EVERY = timedelta(seconds=30)
QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


class Duration(NamedTuple):
    """How long one answer took, and how much of that the model was at work."""

    whole_s: float
    model_s: float


@dataclass
class _Moment:
    """Answers that came within a second: they share the machine's mood."""

    began_at: datetime
    slow: int = 0
    total: int = 0
    exemplars: list[str] = field(default_factory=list)


@dataclass
class _Pool:
    first: list[Duration] = field(default_factory=list)
    learned_from: int = 0
    usual_s: float = 0.0
    usual_model_s: float = 0.0
    limit_s: float = 0.0
    rate: RateShift | None = None
    moment: _Moment | None = None
    since: LogSketch = field(default_factory=LogSketch)
    since_model: LogSketch = field(default_factory=LogSketch)
    window: LogSketch = field(default_factory=LogSketch)


@dataclass
class _State:
    responses: int = 0
    pools: dict[str, _Pool] = field(default_factory=dict)
    values: Turn = field(default_factory=Turn)


class DurationShift:
    """Raise a finding when a pool's answers take much longer than at first, and keep doing so.

    An answer is slow when it takes longer than 2.25 times the median of the first ones; how many of
    those were says what is usual. All answers within a second are one step of a
    :class:`monitors.rates.RateShift`, because they wait for the same machine: a stall of a few
    seconds, however many answers it delays, says nothing; about twenty seconds of mostly slow
    answers do. Twice a minute it states the quantiles.

    Subclasses say what they measure. Answers that no model made are left out.

    Args:
        warmup: Answers of the deployment that say what is usual; a pool needs 30 of its own.
        arl: Seconds with answers between false alarms of a pool, on average, at least.

    Attributes:
        metric: What is measured, in seconds; quantiles are put before it.
        noun: The same in words.
    """

    name: str
    version = "2"
    metric: str
    noun: str

    def __init__(self, warmup: int = 200, arl: float = MOMENTS_ARL) -> None:
        self._warmup = warmup
        self._arl = arl
        self._state = _State()

    def measure(self, response: ResponseReleased, at: datetime) -> Duration | None:
        """Return how long the answer recorded at ``at`` took; None if that cannot be said."""
        raise NotImplementedError

    def observe(self, observation: Observation) -> list[Finding]:
        """Take in one answer or the passing of time; say what changed, and now and then values."""
        response, at = observation.response, observation.occurred_at
        told = []
        for pool in sorted(self._state.pools):
            told += self._close_moment(observation, pool)
        if response is not None and response.pool is not None and response.failure is None:
            duration = self.measure(response, at)
            if duration is not None:
                self._take(response.pool, duration, at, response.request_id)
        elif response is None:
            told += self._values(observation)
        return told

    def _take(self, name: str, duration: Duration, at: datetime, request_id: str) -> None:
        self._state.responses += 1
        pool = self._state.pools.setdefault(name, _Pool())
        pool.window.add(duration.whole_s)
        if pool.rate is None:
            pool.first.append(duration)
            enough = POOL_WARMUP if self._state.responses >= self._warmup else self._warmup
            if len(pool.first) >= enough:
                self._learn(pool)
            return
        if pool.moment is None:
            pool.moment = _Moment(began_at=at)
        pool.moment.total += 1
        pool.since.add(duration.whole_s)
        pool.since_model.add(duration.model_s)
        if duration.whole_s > pool.limit_s:
            pool.moment.slow += 1
            pool.moment.exemplars = [*pool.moment.exemplars, request_id][-EXEMPLARS_MAX:]

    def _learn(self, pool: _Pool) -> None:
        pool.learned_from = len(pool.first)
        whole = sorted(duration.whole_s for duration in pool.first)
        model = sorted(duration.model_s for duration in pool.first)
        pool.usual_s, pool.usual_model_s = whole[len(whole) // 2], model[len(model) // 2]
        pool.limit_s = max(NOTICED_S, SLOW_FACTOR * pool.usual_s)
        slow = sum(value > pool.limit_s for value in whole)
        usual = max(USUALLY_SLOW, upper_bound(slow, len(whole)))
        pool.rate = RateShift(
            usual=usual,
            shifted=max(MOSTLY_SLOW, (1 + usual) / 2),
            baseline=slow / len(whole),
            arl=self._arl,
        )
        pool.first = []

    def _close_moment(self, observation: Observation, name: str) -> list[Finding]:
        """End a pool's moment if it is over, and say what that tells."""
        pool = self._state.pools[name]
        moment, rate = pool.moment, pool.rate
        if moment is None or rate is None or observation.occurred_at < moment.began_at + MOMENT:
            return []
        pool.moment = None
        shift = rate.observe(moment.slow, moment.total, moment.began_at, tuple(moment.exemplars))
        told = [] if shift is None else [self._say(observation, name, pool, shift)]
        if rate.since_at is None:  # no evidence is left: what is counted starts anew
            pool.since, pool.since_model = LogSketch(), LogSketch()
        return told

    def _say(self, observation: Observation, name: str, pool: _Pool, shift: Shift) -> Finding:
        median_s = pool.since.quantile(0.5)
        model_s = pool.since_model.quantile(0.5)
        half = f"half of the answers had {self.noun} over {seconds(median_s)}"
        usual = f"{seconds(pool.usual_s)} in the first {pool.learned_from}"
        if shift.kind == "recovery":
            cause = f"{half} over the last {shift.samples}, back to usual ({usual})"
        else:
            cause = (
                f"{half} over the last {shift.samples} ({usual}), {percent(shift.rate)} of them "
                f"over the limit of {seconds(pool.limit_s)}, since {clock(shift.since_at)}; the "
                f"model itself took {seconds(model_s)} ({seconds(pool.usual_model_s)})"
            )
        where = f"pool {name}, deployment {observation.deployment}"
        return finding(
            self,
            observation,
            self.metric,
            kind=shift.kind,
            segment={"pool": name},
            value=median_s,
            limit=pool.limit_s,
            baseline=pool.usual_s,
            unit="s",
            samples=shift.samples,
            since_at=shift.since_at,
            e_value=shift.e_value,
            cause=f"{cause}; {where}{examples(shift.exemplars)}",
            exemplars=shift.exemplars,
        )

    def _values(self, observation: Observation) -> list[Finding]:
        """Return the quantiles of the answers since the last time, if that is long enough ago."""
        state, before = self._state, self._state.values.last_at
        if not state.values.comes(observation.occurred_at, VALUES_EVERY):
            return []
        told = []
        for name in sorted(state.pools):
            pool = state.pools[name]
            if pool.window.total:
                told += [
                    finding(
                        self,
                        observation,
                        f"{self.metric}_{quantile}",
                        kind="value",
                        segment={"pool": name},
                        value=pool.window.quantile(share),
                        limit=pool.limit_s or None,
                        baseline=pool.usual_s or None,
                        unit="s",
                        samples=pool.window.total,
                        since_at=before,
                    )
                    for quantile, share in QUANTILES.items()
                ]
            pool.window = LogSketch()
        return told

    def snapshot(self) -> Snapshot:
        """Return the whole state as JSON."""
        return dump(self._state)

    def restore(self, snapshot: Snapshot) -> None:
        """Take on the state that :meth:`snapshot` returned."""
        self._state = load(_State, snapshot)
