"""Counts of how requests ended."""

from __future__ import annotations

from monitors.outcomes import Outcomes
from schemas.requests import ResponseStatus
from tests.monitors.observations import Stream
from tests.monitors.watching import steady, told, values


def test_counts_are_stated_every_ten_seconds() -> None:
    """Each outcome that occurred is counted once, and since when is said."""
    stream = Stream()
    monitor = Outcomes()
    seen = [stream.after(1).response(f"r{n}") for n in range(5)]
    seen += [stream.after(1).response("b", status=ResponseStatus.BLOCKED)]
    assert values(monitor, [*seen, stream.after(1).tick()]) == []
    stated = values(monitor, [stream.after(5).tick()])
    assert {f.segment["outcome"]: f.value for f in stated} == {"blocked": 1, "released": 5}
    assert all(finding.since_at == seen[0].occurred_at for finding in stated)
    assert values(monitor, [stream.after(60).tick()]) == []


def test_counts_never_alert() -> None:
    """Whatever traffic does, its counts are no reason for an alert."""
    assert told(Outcomes(), steady(0)) == []
