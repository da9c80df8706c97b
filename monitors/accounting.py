"""Every request ends: those that are past their deadline and have not are named."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from monitors.monitor import Snapshot, finding
from monitors.state import dump, load
from monitors.wording import clock, examples
from schemas.base import Origin
from schemas.watching import Finding, Observation, RequestOpened

GRACE = timedelta(seconds=30)
VALUES_EVERY = timedelta(seconds=10)
TRACKED_MAX = 10_000
EARLY_MAX = 10_000
EXEMPLARS_MAX = 10


class _Open(NamedTuple):
    """A request that has not ended, when it is overdue, and whether that has been told."""

    request_id: str
    due_s: float
    overdue: bool = False


@dataclass
class _State:
    """What is in flight, by the position of the request's record, oldest first.

    ``early`` are endings that came before their request did; ``untracked`` counts the requests
    that came when too many were in flight to follow each.
    """

    open: dict[str, _Open] = field(default_factory=dict)
    early: dict[str, bool] = field(default_factory=dict)
    overdue: int = 0
    untracked: int = 0
    values_at: datetime | None = None


class Accounting:
    """Raise a finding when requests past their deadline have neither answer nor dead letter.

    Records are matched by position, never by counting, and an ending may be seen before its
    request. A request is overdue some time after its deadline, and after it was first seen: a
    monitor that catches up on old records needs time to see how they ended. At most 10,000 requests
    in flight are tracked; how many are not is stated.

    Args:
        grace: How long after its deadline an ending may still be on its way.
    """

    name = "accounting"
    version = "1"

    def __init__(self, grace: timedelta = GRACE) -> None:
        self._grace = grace
        self._state = _State()

    def observe(self, observation: Observation) -> list[Finding]:
        """Take in that a request began or ended, or look for overdue ones as time passes."""
        if observation.opened is not None:
            self._open(observation.origin, observation.opened, observation.occurred_at)
            return []
        if observation.settled is not None:
            return self._settle(observation, _place(observation.settled.request))
        return [*self._overdue(observation), *self._values(observation)]

    def _open(self, request: Origin, opened: RequestOpened, at: datetime) -> None:
        state, place = self._state, _place(request)
        state.values_at = state.values_at or at
        if state.early.pop(place, False):
            return
        if len(state.open) >= TRACKED_MAX:
            state.untracked += 1
            return
        due_at = max(opened.deadline_at, at) + self._grace
        state.open[place] = _Open(opened.request_id, due_at.timestamp())

    def _settle(self, observation: Observation, place: str) -> list[Finding]:
        state = self._state
        request = state.open.pop(place, None)
        if request is None:
            state.early[place] = True
            if len(state.early) > EARLY_MAX:
                del state.early[next(iter(state.early))]
            return []
        if not request.overdue:
            return []
        state.overdue -= 1
        if state.overdue:
            return []
        return [
            finding(
                self,
                observation,
                "unanswered",
                kind="recovery",
                value=0.0,
                limit=0.0,
                unit="requests",
                cause=f"every overdue request has ended, {request.request_id} as the last",
                exemplars=(request.request_id,),
            )
        ]

    def _overdue(self, observation: Observation) -> list[Finding]:
        """Return a finding if requests are overdue now and none was before."""
        state, now_s = self._state, observation.occurred_at.timestamp()
        late = {
            place: request
            for place, request in state.open.items()
            if not request.overdue and request.due_s <= now_s
        }
        known = state.overdue
        state.open |= {place: request._replace(overdue=True) for place, request in late.items()}
        state.overdue += len(late)
        if not late or known:
            return []
        longest = sorted(late.values(), key=lambda request: request.due_s)
        ids = [request.request_id for request in longest[:EXEMPLARS_MAX]]
        since_at = datetime.fromtimestamp(longest[0].due_s, UTC) - self._grace
        return [
            finding(
                self,
                observation,
                "unanswered",
                kind="detection",
                value=float(len(late)),
                limit=0.0,
                unit="requests",
                samples=len(state.open),
                since_at=since_at,
                cause=(
                    f"{len(late)} requests are past their deadline with neither answer nor dead "
                    f"letter, the first since {clock(since_at)}, of {len(state.open)} in flight"
                    f"{examples(ids, most=5)}"
                ),
                exemplars=tuple(ids),
            )
        ]

    def _values(self, observation: Observation) -> list[Finding]:
        state, at = self._state, observation.occurred_at
        if state.values_at is None or at < state.values_at + VALUES_EVERY:
            return []
        state.values_at = at
        counts = {"in_flight": len(state.open), "overdue": state.overdue}
        if state.untracked:
            counts["untracked"] = state.untracked
        return [
            finding(self, observation, what, kind="value", value=float(count), unit="requests")
            for what, count in counts.items()
        ]

    def snapshot(self) -> Snapshot:
        """Return the whole state as JSON."""
        return dump(self._state)

    def restore(self, snapshot: Snapshot) -> None:
        """Take on the state that :meth:`snapshot` returned."""
        self._state = load(_State, snapshot)


def _place(request: Origin) -> str:
    return f"{request.partition}/{request.offset}"
