"""Objectives and how fast they are missed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice

import orjson
import pytest

from monitors.slo import Slo
from schemas.registry import Objective
from schemas.requests import Failure, FailureReason, ResponseStatus
from schemas.watching import Observation
from tests.monitors.observations import Stream
from tests.monitors.watching import steady, told, values

ANSWERED = Objective(name="answered", target=0.99)
FAST = Objective(name="fast", target=0.95, latency_s=2)
TTFT = Objective(name="prompt", target=0.95, ttft_s=0.5)


def failed(
    stream: Stream, request_id: str, reason: FailureReason = FailureReason.ENGINE
) -> Observation:
    """Return a request that came to nothing."""
    observation = stream.response(request_id, status=ResponseStatus.FAILED)
    assert observation.response is not None
    response = observation.response.model_copy(update={"failure": Failure(reason=reason)})
    return observation.model_copy(update={"response": response})


def an_hour(stream: Stream, every: int, name: str = "r") -> Iterator[Observation]:
    """Yield a request every 2 s, of which one in ``every`` fails, and a tick after each."""
    for number in range(1800):
        stream.after(2)
        request_id = f"{name}{number}"
        bad = number % every == every - 1
        yield failed(stream, request_id) if bad else stream.response(request_id)
        yield stream.tick()


@pytest.mark.parametrize("seed", range(3))
def test_steady_traffic_says_nothing(seed: int) -> None:
    """No request fails; some are slow."""
    assert told(Slo(), steady(seed)) == []


def test_what_is_allowed_to_fail_says_nothing() -> None:
    """One in fifty is twice what is allowed, which a month does not bear, but an hour does."""
    assert told(Slo([ANSWERED]), an_hour(Stream("bank"), every=50)) == []


def test_a_fast_burn_is_told_within_minutes_and_so_is_its_end() -> None:
    """All requests fail for a quarter of an hour."""
    stream = Stream("bank")
    observations = [
        *an_hour(stream, every=10_000),
        *islice(an_hour(stream, every=1, name="s"), 900),
        *an_hour(stream, every=10_000, name="t"),
    ]
    findings = [one for one in told(Slo([ANSWERED]), observations) if one.segment["burn"] == "fast"]
    assert [one.kind for one in findings] == ["detection", "recovery"]
    detection, recovery = findings
    began_at = observations[3600].occurred_at
    assert detection.since_at is not None
    assert abs(detection.since_at - began_at) <= timedelta(minutes=1)
    assert detection.occurred_at - began_at < timedelta(minutes=15)
    assert recovery.occurred_at - began_at < timedelta(minutes=25)
    assert "missed objective answered (99 % answered): " in detection.cause
    assert detection.exemplars[0].startswith("s")


def test_a_slow_burn_is_told_by_the_long_windows() -> None:
    """One in eight fails for hours: too slow for the fast burn, too much all the same."""
    stream = Stream("bank")
    observations = [one for hour in range(2) for one in an_hour(stream, 8, f"h{hour}-")]
    findings = told(Slo([ANSWERED]), observations)
    assert [(one.kind, one.segment["burn"]) for one in findings] == [("detection", "slow")]


def test_one_failure_among_few_requests_says_nothing() -> None:
    """Ten per cent are ten times what is allowed, but ten requests do not show it."""
    stream = Stream("bank")
    few = [stream.after(30).response(f"r{number}") for number in range(5)]
    more = [stream.after(30).response(f"s{number}") for number in range(4)]
    ticks = [stream.after(5).tick() for _ in range(20)]
    assert told(Slo([ANSWERED]), [*few, failed(stream, "bad"), *more, *ticks]) == []


def test_a_request_that_could_not_be_answered_does_not_count() -> None:
    """Whoever sends nonsense breaks nobody's promise."""
    stream = Stream("bank")
    nonsense = [
        failed(stream.after(1), f"r{number}", FailureReason.INVALID) for number in range(300)
    ]
    monitor = Slo([ANSWERED])
    assert [*told(monitor, nonsense), *values(monitor, [stream.tick()])] == []


@pytest.mark.parametrize("objective", [FAST, TTFT], ids=lambda objective: str(objective.name))
def test_slow_answers_miss_limits(objective: Objective) -> None:
    """An answer that came too late is as bad as none."""
    stream = Stream("bank")
    observations = []
    for number in range(600):
        slow = number > 300
        answer = stream.after(2).response(
            f"r{number}", latency_s=3.0 if slow else 1.0, ttft_s=0.8 if slow else 0.1
        )
        observations += [answer, stream.tick()]
    findings = told(Slo([objective]), observations)
    assert {one.kind for one in findings} == {"detection"}
    assert {one.segment["objective"] for one in findings} == {objective.name}


def test_six_hours_are_kept_and_no_more() -> None:
    """The state of an objective is a few numbers a minute, whatever came."""
    monitor, stream = Slo([ANSWERED, FAST]), Stream("bank", datetime(2024, 5, 1, tzinfo=UTC))
    for number in range(1500):
        monitor.observe(stream.after(60).response(f"r{number}"))
        monitor.observe(failed(stream, f"f{number}"))
    assert len(orjson.dumps(monitor.snapshot())) < 20_000
