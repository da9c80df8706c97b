"""Waiting for the first token."""

from __future__ import annotations

import pytest

from monitors.ttft import TtftShift
from tests.monitors.observations import Stream
from tests.monitors.traffic import Episode
from tests.monitors.watching import steady, told, told_on


@pytest.mark.parametrize("seed", range(3))
def test_steady_traffic_says_nothing(seed: int) -> None:
    """Heavy tails, a wandering machine and stalls of some seconds are no news."""
    assert told(TtftShift(), steady(seed)) == []


def test_four_times_as_slow_is_told() -> None:
    """First tokens that come four times as late are told, and that it is over."""
    findings = told_on(TtftShift, Episode(400, 300, slow=4.0), requests=1100)
    small = [finding for finding in findings if finding.segment == {"pool": "small"}]
    assert [finding.kind for finding in small] == ["detection", "recovery"]


def test_the_cause_tells_the_queue_from_the_prompt() -> None:
    """A full queue shows as time to first token that the model did not take itself."""
    stream = Stream("bank")
    calm = [stream.after(0.5).response(f"r{n}", ttft_s=0.1) for n in range(200)]
    queue = [stream.after(0.5).response(f"q{n}", ttft_s=3.1, queue_s=3.0) for n in range(60)]
    (shift,) = told(TtftShift(), calm + queue)
    assert "half of the answers had a time to first token over 3.1 s" in shift.cause
    assert "the model itself took 10" in shift.cause
    assert shift.metric == "ttft_s"


def test_a_slow_answer_with_a_quick_start_is_not_its_business() -> None:
    """Only the time until the first token counts."""
    stream = Stream()
    calm = [stream.after(0.5).response(f"r{n}") for n in range(200)]
    long = [stream.after(0.5).response(f"s{n}", latency_s=30.0) for n in range(100)]
    assert told(TtftShift(), calm + long) == []
