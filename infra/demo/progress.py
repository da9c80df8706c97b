"""How a run stands: what was asked and answered so far, phase by phase, and what alerts said."""

from __future__ import annotations

import time
from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from statistics import median

from infra.demo.episodes import Raised, Window
from schemas.deadletters import DeadLetter
from schemas.watching import AlertChanged
from streams.client import Answer

_RECENT_S = 10.0
_RECENT = 10


@dataclass
class Stretch:
    """One phase as it goes.

    Attributes:
        title: As people read it.
        planned: How many requests it is to have.
        first_at: The broker's time of its first request, as far as answers tell.
        last_at: The broker's time of its last answer.
    """

    name: str
    title: str
    planned: int
    sent: int = 0
    answered: int = 0
    latencies_s: list[float] = field(default_factory=list)
    first_at: datetime | None = None
    last_at: datetime | None = None

    @property
    def recent_s(self) -> float | None:
        """The median time of the last answers; None before there is one."""
        return median(self.latencies_s[-_RECENT:]) if self.latencies_s else None

    @property
    def median_s(self) -> float:
        """The median time from request to answer; 0 before there is one."""
        return median(self.latencies_s) if self.latencies_s else 0.0


class Progress:
    """Everything that the screen shows.

    Attributes:
        stretches: The phases begun, in order.
        statuses: How answers ended, dead letters by their reason.
        raised: The alerts that fired.
        resolved: The alerts that ended.
        open: The alerts that have not ended, by their id, those of earlier runs included.
        notes: Sentences for the person who looks on, newest last.
    """

    def __init__(self, planned: int) -> None:
        self.planned = planned
        self.stretches: list[Stretch] = []
        self.statuses: Counter[str] = Counter()
        self.raised: list[Raised] = []
        self.resolved: list[Raised] = []
        self.open: dict[str, AlertChanged] = {}
        self.notes: list[str] = []
        self._began_s = time.monotonic()
        self._ended_s: deque[float] = deque(maxlen=10_000)

    @property
    def sent(self) -> int:
        """Requests written so far."""
        return sum(stretch.sent for stretch in self.stretches)

    @property
    def answered(self) -> int:
        """Requests that have ended."""
        return sum(stretch.answered for stretch in self.stretches)

    @property
    def elapsed_s(self) -> float:
        """How long the run has lasted."""
        return time.monotonic() - self._began_s

    @property
    def rate_per_s(self) -> float:
        """Answers a second, of late."""
        since_s = time.monotonic() - _RECENT_S
        recent = sum(at_s >= since_s for at_s in self._ended_s)
        return recent / min(_RECENT_S, max(1.0, self.elapsed_s))

    def begin(self, name: str, title: str, planned: int) -> Stretch:
        """Begin a phase."""
        stretch = Stretch(name, title, planned)
        self.stretches.append(stretch)
        return stretch

    def ended(self, stretch: Stretch, answer: Answer) -> None:
        """Take in how a request of ``stretch`` ended."""
        event = answer.event
        at = datetime.fromtimestamp(answer.appended_ms / 1000, UTC)
        if isinstance(event, DeadLetter):
            asked_at = event.origin_appended_at
            self.statuses[event.reason.value] += 1
        else:
            asked_at = event.requested_at
            self.statuses[event.status.value] += 1
        stretch.answered += 1
        stretch.latencies_s.append((at - asked_at).total_seconds())
        stretch.first_at = min(stretch.first_at or asked_at, asked_at)
        stretch.last_at = max(stretch.last_at or at, at)
        self._ended_s.append(time.monotonic())

    def windows(self) -> list[Window]:
        """Return when each phase was, of those that have answers."""
        return [
            Window(stretch.name, stretch.first_at, stretch.last_at)
            for stretch in self.stretches
            if stretch.first_at and stretch.last_at
        ]
