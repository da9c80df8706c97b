"""How long customers wait: from the request on the log to its answer there."""

from __future__ import annotations

from datetime import datetime

from monitors.durations import Duration, DurationShift
from schemas.requests import ResponseReleased


class LatencyShift(DurationShift):
    """Raise a finding when answers take much longer, end to end, than they did at first.

    Both ends are the broker's time, so queues in front of the model count; beside it the finding
    says how long the model itself was at work. See :class:`monitors.durations.DurationShift`.
    """

    name = "latency"
    metric = "latency_s"
    noun = "an end-to-end time"

    def measure(self, response: ResponseReleased, at: datetime) -> Duration | None:
        """Return the time from request to answer; None if no model was asked."""
        if response.timings is None:
            return None
        whole_s = (at - response.requested_at).total_seconds()
        return Duration(max(0.0, whole_s), response.timings.generation_s)
