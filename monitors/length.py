"""How long answers are, in tokens: a model that rambles, or one that breaks off."""

from __future__ import annotations

from dataclasses import dataclass, field

from monitors.monitor import Snapshot, finding
from monitors.rates import RateShift, Shift
from monitors.sketch import LogSketch
from monitors.state import dump, load
from monitors.wording import clock, examples, percent
from schemas.watching import Finding, Observation

FACTOR = 1.5
"""An answer within this factor of the usual median is neither long nor short."""
USUALLY_UNUSUAL = 0.05
ODDS = 8.0
POOL_WARMUP = 30
SIDES = ("longer", "shorter")


@dataclass
class _Side:
    """One way in which answers may change, with the limit from which one of them has."""

    limit_tokens: int
    rate: RateShift
    since: LogSketch = field(default_factory=LogSketch)


@dataclass
class _Pool:
    first: list[int] = field(default_factory=list)
    learned_from: int = 0
    usual_tokens: int = 0
    sides: dict[str, _Side] = field(default_factory=dict)


@dataclass
class _State:
    responses: int = 0
    pools: dict[str, _Pool] = field(default_factory=dict)


class LengthShift:
    """Raise a finding when a pool's answers become much longer or shorter than they were at first.

    Long is beyond nine tenths of the first answers and 1.5 times their median, short the reverse;
    a :class:`monitors.rates.RateShift` for each watches how many are.

    Args:
        warmup: Answers of the deployment that say what is usual; a pool needs 30 of its own.
        arl: Answers between false alarms of one side, on average, at least.
    """

    name = "length"
    version = "2"

    def __init__(self, warmup: int = 200, arl: float = 1_000_000) -> None:
        self._warmup = warmup
        self._arl = arl
        self._state = _State()

    def observe(self, observation: Observation) -> list[Finding]:
        """Take in the length of one answer; say whether lengths left the usual or came back."""
        response = observation.response
        if response is None or response.pool is None or not response.usage.completion_tokens:
            return []
        tokens = response.usage.completion_tokens
        self._state.responses += 1
        pool = self._state.pools.setdefault(response.pool, _Pool())
        if not pool.sides:
            pool.first.append(tokens)
            enough = POOL_WARMUP if self._state.responses >= self._warmup else self._warmup
            if len(pool.first) >= enough:
                self._learn(pool)
            return []
        told = []
        for name, side in pool.sides.items():
            hit = tokens > side.limit_tokens if name == "longer" else tokens < side.limit_tokens
            shown = (response.request_id,) if hit else ()
            side.since.add(tokens)
            shift = side.rate.observe(hit, 1, observation.occurred_at, shown)
            if shift is not None:
                told.append(self._say(observation, response.pool, pool, name, shift))
            if side.rate.since_at is None:
                side.since = LogSketch()
        return told

    def _learn(self, pool: _Pool) -> None:
        first = sorted(pool.first)
        count = len(first)
        pool.learned_from, pool.usual_tokens, pool.first = count, first[count // 2], []
        limits = {
            "longer": max(first[count * 9 // 10], int(FACTOR * pool.usual_tokens)),
            "shorter": min(first[count // 10], int(pool.usual_tokens / FACTOR)),
        }
        beyond = {
            "longer": sum(tokens > limits["longer"] for tokens in first),
            "shorter": sum(tokens < limits["shorter"] for tokens in first),
        }
        pool.sides = {
            name: _Side(
                limits[name],
                RateShift.after(
                    beyond[name], count, odds=ODDS, floor=USUALLY_UNUSUAL, arl=self._arl
                ),
            )
            for name in SIDES
        }

    def _say(
        self, observation: Observation, name: str, pool: _Pool, side: str, shift: Shift
    ) -> Finding:
        watched = pool.sides[side]
        median = watched.since.quantile(0.5)
        half = f"half of the answers had {median:.0f} tokens or more"
        usual = f"{pool.usual_tokens} in the first {pool.learned_from}"
        if shift.kind == "recovery":
            cause = f"{half} over the last {shift.samples}, back to usual ({usual})"
        else:
            cause = (
                f"answers became {side}: {half} over the last {shift.samples} ({usual}), "
                f"{percent(shift.rate)} of them {'over' if side == 'longer' else 'under'} "
                f"{watched.limit_tokens}, since {clock(shift.since_at)}"
            )
        where = f"pool {name}, deployment {observation.deployment}"
        return finding(
            self,
            observation,
            "answer_tokens",
            kind=shift.kind,
            segment={"pool": name, "change": side},
            value=median,
            limit=float(watched.limit_tokens),
            baseline=float(pool.usual_tokens),
            unit="tokens",
            samples=shift.samples,
            since_at=shift.since_at,
            e_value=shift.e_value,
            cause=f"{cause}; {where}{examples(shift.exemplars)}",
            exemplars=shift.exemplars,
        )

    def snapshot(self) -> Snapshot:
        """Return the whole state as JSON."""
        return dump(self._state)

    def restore(self, snapshot: Snapshot) -> None:
        """Take on the state that :meth:`snapshot` returned."""
        self._state = load(_State, snapshot)
