"""Pools without a worker."""

from __future__ import annotations

from monitors.pools import PoolsWithoutWorker
from schemas.watching import Observation
from tests.monitors.observations import Stream
from tests.monitors.watching import told


def stands(stream: Stream, live: int, times: int, waiting: int = 0) -> list[Observation]:
    """Return how a pool stands every five seconds."""
    return [stream.after(5).pool(live, waiting) for _ in range(times)]


def test_a_pool_that_lost_its_workers_is_told_within_thirty_seconds() -> None:
    """After fifteen seconds without a worker it is told once, and again when one is back."""
    stream = Stream("bank")
    seen = stands(stream, 1, 5) + stands(stream, 0, 10, waiting=7) + stands(stream, 2, 3)
    shift, back = told(PoolsWithoutWorker(), seen)
    assert shift.metric == "pool_without_worker"
    assert shift.cause == (
        "pool small has had no live worker for 15 s, since 12:00:30; 7 requests wait; "
        "deployment bank"
    )
    assert back.kind == "recovery"
    assert "2 live workers again after 50 s" in back.cause


def test_a_restart_is_given_time() -> None:
    """Ten seconds without a worker are a restart."""
    stream = Stream()
    seen = (stands(stream, 1, 3) + stands(stream, 0, 3)) * 5
    assert told(PoolsWithoutWorker(), seen) == []


def test_a_pool_that_never_had_a_worker_is_told_later() -> None:
    """A model may load for two minutes before its absence is news."""
    stream = Stream()
    monitor = PoolsWithoutWorker()
    assert told(monitor, stands(stream, 0, 24)) == []
    (shift,) = told(monitor, stands(stream, 0, 2))
    assert shift.value == 120


def test_pools_are_told_apart() -> None:
    """One pool's workers do not stand in for another's."""
    stream = Stream()
    seen: list[Observation] = []
    for _ in range(10):
        stream.after(5)
        seen += [stream.pool(1, pool="small"), stream.pool(0 if seen else 1, pool="large")]
    (shift,) = told(PoolsWithoutWorker(), seen)
    assert shift.segment == {"pool": "large"}
