"""Waiting for answers: when it became much longer, and when a stall is just a stall."""

from __future__ import annotations

import pytest

from monitors.latency import LatencyShift
from schemas.watching import Observation
from tests.monitors.observations import Stream
from tests.monitors.traffic import Episode
from tests.monitors.watching import steady, told, told_on, values


@pytest.mark.parametrize("seed", range(3))
def test_steady_traffic_says_nothing(seed: int) -> None:
    """Heavy tails, a wandering machine and stalls of some seconds are no news."""
    assert told(LatencyShift(), steady(seed)) == []


@pytest.mark.parametrize("seed", range(3))
def test_four_times_as_slow_is_told_within_a_minute(seed: int) -> None:
    """A slow-down of a minute is told while it lasts, pool by pool, and its end as well."""
    findings = told_on(LatencyShift, Episode(400, 300, slow=4.0), seed, requests=1100)
    small = [finding for finding in findings if finding.segment == {"pool": "small"}]
    assert [finding.kind for finding in small] == ["detection", "recovery"]
    shift, back = small
    assert shift.baseline is not None
    assert shift.limit is not None
    assert shift.value > shift.limit > 2 * shift.baseline
    assert back.value < shift.limit


def answers(stream: Stream, latencies_s: list[float], every_s: float = 0.5) -> list[Observation]:
    """Return one answer every half second with these latencies."""
    return [
        stream.after(every_s).response(f"r{n}", latency_s=latency_s, generation_s=latency_s / 2)
        for n, latency_s in enumerate(latencies_s)
    ]


def test_the_cause_tells_waiting_from_generating() -> None:
    """It states the usual, the limit, since when, and how much of it the model itself took."""
    (shift,) = told(LatencyShift(), answers(Stream("bank"), [1.0] * 200 + [8.4] * 60))
    assert shift.cause == (
        "half of the answers had an end-to-end time over 8.4 s over the last 20 (1.0 s in the "
        "first 200), 100 % of them over the limit of 2.2 s, since 12:01:40; the model itself took "
        "4.2 s (500 ms); pool small, deployment bank; e.g. r219, r218, r217"
    )


def test_a_stall_says_nothing_however_many_wait() -> None:
    """Three hundred answers that were held up for the same five seconds are one stall."""
    stream = Stream()
    calm = answers(stream, [1.0] * 200)
    held_up = [stream.after(0.01).response(f"s{n}", latency_s=6.0) for n in range(300)]
    assert told(LatencyShift(), calm + held_up + answers(stream, [1.0] * 100)) == []


def test_twice_as_slow_is_within_the_usual() -> None:
    """Up to two and a quarter times the median is never slow."""
    assert told(LatencyShift(), answers(Stream(), [1.0] * 200 + [2.0] * 400)) == []


def test_what_nobody_notices_says_nothing() -> None:
    """Forty milliseconds instead of one are no shift that matters."""
    assert told(LatencyShift(), answers(Stream(), [0.001] * 200 + [0.04] * 400)) == []


def test_a_pool_with_little_traffic_learns_from_less() -> None:
    """A pool's own first thirty answers do, once the deployment has had its first two hundred."""
    stream = Stream()
    monitor = LatencyShift()
    for number in range(250):
        pool = "large" if number % 5 == 4 else "small"
        assert told(monitor, [stream.after(0.5).response(f"r{number}", pool=pool)]) == []
    slow = [stream.after(2).response(f"s{n}", latency_s=9.0, pool="large") for n in range(30)]
    (shift,) = told(monitor, slow)
    assert "in the first 40" in shift.cause


def test_quantiles_are_stated_twice_a_minute() -> None:
    """The median, the 95th and the 99th percentile of the answers since the last time."""
    stream = Stream()
    seen: list[Observation] = [stream.tick()]
    for number in range(1, 101):
        seen.append(stream.after(0.3).response(f"r{number}", latency_s=number / 100))
        if number % 16 == 0:
            seen.append(stream.tick())
    seen.append(stream.after(5).tick())
    stated = {finding.metric: finding for finding in values(LatencyShift(), seen)}
    assert set(stated) == {"latency_s_p50", "latency_s_p95", "latency_s_p99"}
    assert stated["latency_s_p50"].value == pytest.approx(0.5, rel=0.02)
    assert stated["latency_s_p99"].value == pytest.approx(0.99, rel=0.02)
    assert stated["latency_s_p50"].samples == 100


def test_requests_that_no_model_answered_do_not_count() -> None:
    """Blocked requests are quick, and say nothing about the pool."""
    stream = Stream()
    blocked = [stream.after(1).response(f"r{n}", pool=None) for n in range(300)]
    assert values(LatencyShift(), [*blocked, stream.after(60).tick()]) == []
