"""What customers ask about."""

from __future__ import annotations

import pytest

from monitors.topic_shift import TopicShift
from tests.monitors.observations import Stream
from tests.monitors.traffic import ELSEWHERE, Episode
from tests.monitors.watching import steady, told, told_on


@pytest.mark.parametrize("seed", range(3))
def test_steady_traffic_says_nothing(seed: int) -> None:
    """Customers who stay on their topic for a while make the mix wander, which is no news."""
    assert told(TopicShift(), steady(seed)) == []


@pytest.mark.parametrize("seed", range(3))
def test_topics_from_elsewhere_are_told_and_named(seed: int) -> None:
    """Sixty per cent about things no customer of a bank asks about: told once, named, and over."""
    shift, back = told_on(TopicShift, Episode(400, 120, elsewhere=0.6), seed)
    assert (shift.kind, back.kind) == ("detection", "recovery")
    assert any(topic in shift.cause for topic in ELSEWHERE)
    assert shift.value > 0.3
    assert shift.exemplars


def test_one_topic_that_takes_over_is_named() -> None:
    """A single topic's growth is stated as its share now and at first."""
    stream = Stream("bank")
    calm = [stream.after(1).response(f"r{n}", topic=f"t{n % 8}") for n in range(200)]
    taken = [stream.after(1).response(f"s{n}", topic="t3") for n in range(60)]
    (shift,) = told(TopicShift(), calm + taken)
    assert "of requests were about t3 over the last" in shift.cause
    assert "(12 % in the first 200)" in shift.cause
    assert shift.unit == "share of requests about t3"


def test_requests_without_a_route_do_not_count() -> None:
    """What was blocked before it was routed has no topic."""
    stream = Stream()
    blocked = [stream.after(1).response(f"r{n}", pool=None) for n in range(400)]
    assert told(TopicShift(), blocked) == []
