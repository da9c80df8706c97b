"""One budget of false alarms for everything a rule watches."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

PERIOD = timedelta(days=1)


@dataclass
class Budget:
    """Let alarms through so that only a stated share of them is false, however much is watched.

    With ``streams`` things watched, an alarm needs an e-value of ``streams / share`` at first; each
    other thing that alarms within a day makes it cheaper, as it is then less likely that all are
    false. What alarms within a day is then false for at most ``share`` of them on average, whatever
    the streams have to do with each other. What is held back may ask again with better evidence.

    Attributes:
        streams: How many things are watched at most; each has one e-value a day.
        share: The share of false alarms that is allowed, above 0, at most 1.
        passed: What was let through, by name, and when.

    References:
        R. Wang, A. Ramdas, "False discovery rate control with e-values", J. R. Stat. Soc. B 84
        (2022): e-BH and its self-consistent parts, of which this is one. Z. Xu, A. Ramdas, "Online
        multiple testing with e-values", AISTATS (2024).

    >>> from datetime import UTC
    >>> noon = datetime(2024, 5, 1, 12, tzinfo=UTC)
    >>> budget = Budget(streams=1000, share=0.1)
    >>> budget.lets("a", 9_000.0, noon), budget.lets("b", 20_000.0, noon)
    (False, True)
    >>> budget.lets("a", 9_000.0, noon)
    True
    """

    streams: int
    share: float
    passed: dict[str, datetime] = field(default_factory=dict)

    def needed(self, name: str, at: datetime) -> float:
        """Return the e-value that ``name`` needs at the time ``at``."""
        others = [one for one, then in self.passed.items() if one != name and at - then < PERIOD]
        return self.streams / (self.share * (len(others) + 1))

    def lets(self, name: str, e_value: float, at: datetime) -> bool:
        """Return whether ``name`` may alarm, and count it if so."""
        if e_value < self.needed(name, at):
            return False
        self.passed = {one: then for one, then in self.passed.items() if at - then < PERIOD}
        self.passed[name] = at
        return True

    def snapshot(self) -> dict[str, Any]:
        """Return what was let through as JSON."""
        return {name: at.isoformat() for name, at in self.passed.items()}

    def restore(self, snapshot: dict[str, Any]) -> None:
        """Take on what :meth:`snapshot` returned."""
        self.passed = {name: datetime.fromisoformat(at) for name, at in snapshot.items()}
