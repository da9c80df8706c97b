"""How the engines serve: time in the queue and per token, tokens, costs, and what fails."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from monitors.durations import QUANTILES
from monitors.monitor import Snapshot, finding
from monitors.sketch import LogSketch
from monitors.spending import WINDOW, Spending, cost_usd
from monitors.state import dump, load
from schemas.registry import Price
from schemas.requests import ResponseReleased
from schemas.watching import Finding, Observation

EVERY = timedelta(seconds=30)
POOLS_MAX = 32
BACK_BELOW = 0.9
"""Of the budget: what the day comes to must fall below it to be within again."""


@dataclass
class _Pool:
    queue: LogSketch = field(default_factory=LogSketch)
    tpot: LogSketch = field(default_factory=LogSketch)
    tokens: Counter[str] = field(default_factory=Counter)


@dataclass
class _State:
    pools: dict[str, _Pool] = field(default_factory=dict)
    failures: Counter[str] = field(default_factory=Counter)
    responses: int = 0
    since_at: datetime | None = None
    spending: Spending = field(default_factory=Spending)
    dear: bool = False


class Serving:
    """State twice a minute how the engines do, and raise a finding when the day gets too dear.

    By pool: quantiles of the seconds in the queue and of those per token after the first, tokens
    read, read from a cache, and written, and what they have cost on the day. By reason: the share
    of responses that failed. End-to-end times and those to the first token are stated by the
    monitors that watch them. The day gets too dear when it comes to more than the budget if it goes
    on as in the last hour; that is over once it comes to nine tenths at most.

    Args:
        prices: What tokens cost, by pool.
        budget_usd: What a day may cost; no day gets too dear without it.
    """

    name = "serving"
    version = "2"

    def __init__(
        self, prices: Mapping[str, Price] | None = None, budget_usd: float | None = None
    ) -> None:
        self._prices = dict(prices or {})
        self._budget_usd = budget_usd
        self._state = _State()

    def observe(self, observation: Observation) -> list[Finding]:
        """Count one response, or state what came together when it is time."""
        state, at = self._state, observation.occurred_at
        state.since_at = state.since_at or at
        if observation.response is not None:
            self._count(observation.response, at)
        elif at >= state.since_at + EVERY:
            state.spending.turn(at)
            told = [*_failures(self, observation, state), *_pools(self, observation, state)]
            told += [*_spent(self, observation, state.spending), *self._judge(observation)]
            self._state = _State(since_at=at, spending=state.spending, dear=state.dear)
            return told
        return []

    def _count(self, response: ResponseReleased, at: datetime) -> None:
        state, timings = self._state, response.timings
        state.responses += 1
        if response.failure is not None:
            state.failures[response.failure.reason.value] += 1
        if response.pool is None or timings is None:
            return
        if response.pool not in state.pools and len(state.pools) >= POOLS_MAX:
            return
        pool = state.pools.setdefault(response.pool, _Pool())
        pool.queue.add(timings.queue_s)
        if timings.tpot_s is not None:
            pool.tpot.add(timings.tpot_s)
        usage = response.usage
        pool.tokens["prompt"] += usage.prompt_tokens
        pool.tokens["cached"] += usage.cached_tokens
        pool.tokens["completion"] += usage.completion_tokens
        if price := self._prices.get(response.pool):
            state.spending.add(response.pool, cost_usd(usage, price), at)

    def _judge(self, observation: Observation) -> list[Finding]:
        """Say if what the day comes to has left the budget, or is back in it."""
        state, at, budget = self._state, observation.occurred_at, self._budget_usd
        projected = state.spending.projected(at)
        if budget is None or projected is None:
            return []
        if projected <= budget * (BACK_BELOW if state.dear else 1.0):
            kind, state.dear = "recovery" if state.dear else "", False
        else:
            kind, state.dear = "" if state.dear else "detection", True
        if not kind:
            return []
        today = state.spending.today()
        left = "within" if kind == "recovery" else "beyond"
        return [
            finding(
                self,
                observation,
                "projected_usd",
                kind=kind,
                value=projected,
                limit=budget,
                unit="USD a day",
                since_at=max(at - WINDOW, state.spending.since_at or at),
                cause=(
                    f"the day comes to {projected:.2f} USD if it goes on as in the last hour, "
                    f"{left} the budget of {budget:.2f}: {today:.2f} so far; "
                    f"deployment {observation.deployment}"
                ),
            )
        ]

    def snapshot(self) -> Snapshot:
        """Return the whole state as JSON."""
        return dump(self._state)

    def restore(self, snapshot: Snapshot) -> None:
        """Take on the state that :meth:`snapshot` returned."""
        self._state = load(_State, snapshot)


def _failures(serving: Serving, observation: Observation, state: _State) -> Iterator[Finding]:
    for reason in sorted(state.failures):
        yield finding(
            serving,
            observation,
            "failed_rate",
            kind="value",
            segment={"reason": reason},
            value=state.failures[reason] / state.responses,
            unit="share of responses",
            samples=state.responses,
            since_at=state.since_at,
        )


def _pools(serving: Serving, observation: Observation, state: _State) -> Iterator[Finding]:
    for name, pool in sorted(state.pools.items()):
        for metric, sketch in (("queue_s", pool.queue), ("tpot_s", pool.tpot)):
            for quantile, share in QUANTILES.items() if sketch.total else ():
                yield finding(
                    serving,
                    observation,
                    f"{metric}_{quantile}",
                    kind="value",
                    segment={"pool": name},
                    value=sketch.quantile(share),
                    unit="s",
                    samples=sketch.total,
                    since_at=state.since_at,
                )
        for kind in sorted(pool.tokens):
            yield finding(
                serving,
                observation,
                "tokens",
                kind="value",
                segment={"pool": name, "kind": kind},
                value=float(pool.tokens[kind]),
                unit="tokens",
                samples=pool.queue.total,
                since_at=state.since_at,
            )


def _spent(serving: Serving, observation: Observation, spending: Spending) -> Iterator[Finding]:
    for pool, usd in sorted(spending.usd.items()):
        yield finding(
            serving,
            observation,
            "spent_usd",
            kind="value",
            segment={"pool": pool},
            value=usd,
            unit="USD today",
            since_at=datetime.fromtimestamp(86_400 * spending.day, UTC),
        )
