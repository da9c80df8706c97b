"""One thing that is followed: first gathered until it is known what is usual, then watched."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from pydantic import JsonValue

from monitors.drift.detector import Alarm, Levelled, Promise
from monitors.drift.learning import Learner
from monitors.monitor import Snapshot

FIRST = "the first of this deployment"
LOST = "what was learned before is lost"


@dataclass
class Following:
    """What is known of a series, but for what was learned.

    Attributes:
        sequence: The number of its reference, from 1.
        version: Of the deployment whose values make the reference.
        reason: Why it is a new one.
        since_at: When the first of its values came.
        until_at: When the last of them did.
        gathered: How many there are.
        page: The last of them, as long as they are too few to be stored.
        learned: Whether there are enough.
        stands: The detector's state.
        level: How far it went since that was last stated.
        events: Values it was shown since then.
        alarm: Its last alarm since then.
        exemplars: The requests at which it spoke since then, last first.
    """

    sequence: int = 1
    version: str = ""
    reason: str = FIRST
    since_at: datetime | None = None
    until_at: datetime | None = None
    gathered: int = 0
    page: list[JsonValue] = field(default_factory=list)
    learned: bool = False
    stands: Snapshot = field(default_factory=dict)
    level: float = 0.0
    events: int = 0
    alarm: Alarm | None = None
    exemplars: list[str] = field(default_factory=list)


class Series:
    """Gathers the first values of a version of a deployment, learns from them, and then watches.

    What is gathered and what was learned is stored apart from the state, in parts that never
    change: see :meth:`learned`.

    Args:
        name: Its name.
        learner: Of its kind of values.
        warmup: Values that say what is usual.
        arl: Values between false alarms, on average.

    Attributes:
        state: What is known of it.
    """

    def __init__(self, name: str, learner: Learner, warmup: int, arl: float) -> None:
        self.name = name
        self.state = Following()
        self._learner = learner
        self._warmup = warmup
        self._arl = arl
        self._pages: dict[str, list[JsonValue]] = {}
        self._reference: Snapshot | None = None
        self._detector: Levelled[Any] | None = None

    @property
    def promise(self) -> Promise | None:
        """What the reference lets one promise; None while there is none."""
        return self._detector.promise if self._detector else None

    def begin(self, version: str, reason: str) -> None:
        """Forget what was gathered and learned, and gather anew."""
        sequence = self.state.sequence + (self.state.gathered > 0)
        self.state = Following(sequence=sequence, version=version, reason=reason)
        self._pages = {}
        self._reference = self._detector = None

    def gather(self, item: JsonValue, at: datetime) -> bool:
        """Add a value to those that say what is usual; return whether there are enough now."""
        state = self.state
        state.since_at = state.since_at or at
        state.until_at = at
        state.gathered += 1
        state.page.append(item)
        if len(state.page) == self._learner.page:
            self._pages[self._part(f"page-{state.gathered // self._learner.page}")] = state.page
            state.page = []
        if state.gathered < self._warmup:
            return False
        items = [one for page in self._pages.values() for one in page] + state.page
        self._reference = self._learner.learn(items, self._arl)
        self._detector = self._learner.detector(self._reference)
        state.page, self._pages, state.learned = [], {}, True
        return True

    def watch(self, item: JsonValue, request_id: str, most_exemplars: int) -> Alarm | None:
        """Show the detector a value; return its alarm if there is one."""
        assert self._detector is not None
        state = self.state
        state.events += 1
        alarm = self._detector.update(self._learner.value(item))
        state.level = max(state.level, alarm.level if alarm else self._detector.level)
        if alarm is not None:
            state.alarm = alarm
            state.exemplars = [request_id, *state.exemplars][:most_exemplars]
        return alarm

    def stated(self) -> None:
        """Begin to measure anew how far it goes."""
        self.state.level, self.state.events = 0.0, 0
        self.state.alarm, self.state.exemplars = None, []

    def learned(self) -> dict[str, Callable[[], Snapshot]]:
        """Return the parts that are stored apart, by name; what a name stands for never changes."""
        if self._reference is not None:
            return {self._part("reference"): partial(dict, self._reference)}
        return {name: partial(dict, items=page) for name, page in self._pages.items()}

    def snapshot(self) -> Following:
        """Return the state, the detector's included."""
        if self._detector is not None:
            self.state.stands = self._detector.snapshot()
        return self.state

    def restore(self, state: Following, parts: Mapping[str, Snapshot]) -> None:
        """Take on what :meth:`snapshot` returned, and of ``parts`` those it speaks of.

        Where one is missing, it gathers anew.
        """
        self.state = state
        self._pages, self._reference, self._detector = {}, None, None
        try:
            if state.learned:
                self._reference = parts[self._part("reference")]
                self._detector = self._learner.detector(self._reference)
                self._detector.restore(state.stands)
                return
            for number in range(1, state.gathered // self._learner.page + 1):
                items = parts[self._part(f"page-{number}")]["items"]
                assert isinstance(items, list)
                self._pages[self._part(f"page-{number}")] = items
        except KeyError:
            self.begin(state.version, LOST)

    def _part(self, what: str) -> str:
        return f"{self.name}/{self.state.sequence}/{what}"
