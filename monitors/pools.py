"""Pools that no worker serves: their requests wait for nobody."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from monitors.monitor import Snapshot, finding
from monitors.state import dump, load
from monitors.wording import clock, seconds
from schemas.watching import Finding, Observation, PoolObserved

GRACE = timedelta(seconds=15)
STARTING_GRACE = timedelta(seconds=120)


@dataclass
class _Pool:
    missing_since: datetime | None = None
    was_alive: bool = False
    told: bool = False


@dataclass
class _State:
    pools: dict[str, _Pool] = field(default_factory=dict)


class PoolsWithoutWorker:
    """Raise a finding when a pool has had no live worker for a while.

    Its requests are kept, and expire one by one. A restart is given time.

    Args:
        grace: How long a pool that had a worker may be without.
        starting_grace: How long a pool may take until it has its first; models load slowly.
    """

    name = "pools"
    version = "1"

    def __init__(
        self, grace: timedelta = GRACE, starting_grace: timedelta = STARTING_GRACE
    ) -> None:
        self._grace = grace
        self._starting_grace = starting_grace
        self._state = _State()

    def observe(self, observation: Observation) -> list[Finding]:
        """Take in how a pool stands; say if it has been without a worker too long, or has one."""
        seen, at = observation.pool, observation.occurred_at
        if seen is None:
            return []
        pool = self._state.pools.setdefault(seen.pool, _Pool())
        if seen.live_workers:
            since, told = pool.missing_since, pool.told
            pool.missing_since, pool.was_alive, pool.told = None, True, False
            return [self._back(observation, seen, since)] if told and since else []
        pool.missing_since = since = min(pool.missing_since or at, at)
        limit = self._grace if pool.was_alive else self._starting_grace
        if pool.told or at - since < limit:
            return []
        pool.told = True
        return [self._missing(observation, seen, since, limit)]

    def _missing(
        self, observation: Observation, seen: PoolObserved, since: datetime, limit: timedelta
    ) -> Finding:
        without_s = (observation.occurred_at - since).total_seconds()
        return finding(
            self,
            observation,
            "pool_without_worker",
            kind="detection",
            segment={"pool": seen.pool},
            value=without_s,
            limit=limit.total_seconds(),
            unit="s",
            since_at=since,
            cause=(
                f"pool {seen.pool} has had no live worker for {seconds(without_s)}, "
                f"since {clock(since)}; {seen.waiting_requests} requests wait; "
                f"deployment {observation.deployment}"
            ),
        )

    def _back(self, observation: Observation, seen: PoolObserved, since: datetime) -> Finding:
        without_s = (observation.occurred_at - since).total_seconds()
        return finding(
            self,
            observation,
            "pool_without_worker",
            kind="recovery",
            segment={"pool": seen.pool},
            value=without_s,
            unit="s",
            since_at=since,
            cause=(
                f"pool {seen.pool} has {seen.live_workers} live workers again after "
                f"{seconds(without_s)}; {seen.waiting_requests} requests wait; "
                f"deployment {observation.deployment}"
            ),
        )

    def snapshot(self) -> Snapshot:
        """Return the whole state as JSON."""
        return dump(self._state)

    def restore(self, snapshot: Snapshot) -> None:
        """Take on the state that :meth:`snapshot` returned."""
        self._state = load(_State, snapshot)
