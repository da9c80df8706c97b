"""What is done now and then, as time passes in observations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass
class Turn:
    """When something was last done; a part of a monitor's state.

    >>> turn, noon = Turn(), datetime(2024, 5, 1, 12)
    >>> [turn.comes(noon + timedelta(seconds=s), timedelta(minutes=1)) for s in (0, 59, 60, 61)]
    [True, False, True, False]
    """

    last_at: datetime | None = None

    def comes(self, at: datetime, every: timedelta) -> bool:
        """Return whether it is time again at ``at``; if so, it counts as done then."""
        if self.last_at is not None and at < self.last_at + every:
            return False
        self.last_at = at
        return True
