"""How many requests ended, and how: the throughput of a deployment."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from monitors.monitor import Snapshot, finding
from monitors.state import dump, load
from schemas.watching import Finding, Observation

EVERY = timedelta(seconds=10)


@dataclass
class _State:
    counts: Counter[str] = field(default_factory=Counter)
    since_at: datetime | None = None


class Outcomes:
    """State every ten seconds how many requests were released, masked, withheld, blocked, failed.

    It states and never alerts: counts are what traffic makes them. Divided by the seconds since
    ``since_at`` they are rates.
    """

    name = "outcomes"
    version = "1"

    def __init__(self) -> None:
        self._state = _State()

    def observe(self, observation: Observation) -> list[Finding]:
        """Count one response, or state the counts when it is time."""
        state, at = self._state, observation.occurred_at
        if state.since_at is None:
            state.since_at = at
        if observation.response is not None:
            state.counts[observation.response.status.value] += 1
            return []
        if at < state.since_at + EVERY:
            return []
        counts, since_at = state.counts, state.since_at
        self._state = _State(since_at=at)
        return [
            finding(
                self,
                observation,
                "responses",
                kind="value",
                segment={"outcome": outcome},
                value=float(counts[outcome]),
                unit="requests",
                samples=counts.total(),
                since_at=since_at,
            )
            for outcome in sorted(counts)
        ]

    def snapshot(self) -> Snapshot:
        """Return the whole state as JSON."""
        return dump(self._state)

    def restore(self, snapshot: Snapshot) -> None:
        """Take on the state that :meth:`snapshot` returned."""
        self._state = load(_State, snapshot)
