"""How the engines serve: time in the queue and per token, tokens, and what fails."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from monitors.durations import QUANTILES
from monitors.monitor import Snapshot, finding
from monitors.sketch import LogSketch
from monitors.state import dump, load
from schemas.requests import ResponseReleased
from schemas.watching import Finding, Observation

EVERY = timedelta(seconds=30)
POOLS_MAX = 32


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


class Serving:
    """State twice a minute how the engines do; it never alerts.

    By pool: quantiles of the seconds in the queue and of those per token after the first, and
    tokens read, read from a cache, and written. By reason: the share of responses that failed.
    End-to-end times and those to the first token are stated by the monitors that watch them.
    """

    name = "serving"
    version = "1"

    def __init__(self) -> None:
        self._state = _State()

    def observe(self, observation: Observation) -> list[Finding]:
        """Count one response, or state what came together when it is time."""
        state, at = self._state, observation.occurred_at
        state.since_at = state.since_at or at
        if observation.response is not None:
            self._count(observation.response)
        elif at >= state.since_at + EVERY:
            self._state = _State(since_at=at)
            return [*_failures(self, observation, state), *_pools(self, observation, state)]
        return []

    def _count(self, response: ResponseReleased) -> None:
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
