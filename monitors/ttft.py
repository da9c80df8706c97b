"""How long until an answer begins: the time to first token inside the engine."""

from __future__ import annotations

from datetime import datetime

from monitors.durations import Duration, DurationShift
from schemas.requests import ResponseReleased


class TtftShift(DurationShift):
    """Raise a finding when the time to first token is much longer than it was at first.

    It covers waiting in the engine's queue and reading the prompt; beside it the finding says how
    long that was without the queue. See :class:`monitors.durations.DurationShift`.
    """

    name = "ttft"
    metric = "ttft_s"
    noun = "a time to first token"

    def measure(self, response: ResponseReleased, at: datetime) -> Duration | None:
        """Return the time to first token; None if there was no token."""
        timings = response.timings
        if timings is None or timings.ttft_s is None:
            return None
        return Duration(timings.ttft_s, max(0.0, timings.ttft_s - timings.queue_s))
