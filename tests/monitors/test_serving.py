"""How engines serve, in figures."""

from __future__ import annotations

import pytest

from monitors.serving import POOLS_MAX, Serving
from schemas.requests import Failure, FailureReason, ResponseStatus
from tests.monitors.observations import Stream
from tests.monitors.watching import values


def test_quantiles_and_tokens_are_stated_by_pool() -> None:
    """Twice a minute, of what came since the last time."""
    stream, monitor = Stream("bank"), Serving()
    answers = [stream.after(0.2).response(f"r{n}", queue_s=n / 100, tokens=10) for n in range(100)]
    said = {
        (one.metric, *one.segment.values()): one
        for one in values(monitor, [*answers, stream.after(20).tick()])
    }
    assert said["queue_s_p50", "small"].value == pytest.approx(0.49, rel=0.02)
    assert said["queue_s_p99", "small"].value == pytest.approx(0.98, rel=0.02)
    assert said["tokens", "small", "completion"].value == 1000
    assert said["tokens", "small", "completion"].samples == 100
    assert values(monitor, [stream.after(60).tick()]) == []


def test_failures_are_stated_by_reason() -> None:
    """As shares of all responses, those that no pool answered included."""
    stream = Stream("bank")
    good = [stream.after(1).response(f"r{n}") for n in range(15)]
    bad = []
    for number in range(5):
        failed = stream.response(f"f{number}", pool=None, status=ResponseStatus.FAILED)
        assert failed.response is not None
        why = {"failure": Failure(reason=FailureReason.DEADLINE)}
        bad.append(failed.model_copy(update={"response": failed.response.model_copy(update=why)}))
    (share,) = [
        one
        for one in values(Serving(), [*good, *bad, stream.after(30).tick()])
        if one.metric == "failed_rate"
    ]
    assert share.segment == {"reason": "deadline"}
    assert (share.value, share.samples) == (0.25, 20)


def test_pools_are_bounded() -> None:
    """Whatever names come, the first ones are followed."""
    stream, monitor = Stream("bank"), Serving()
    many = [stream.response(f"r{n}", pool=f"p{n}") for n in range(3 * POOLS_MAX)]
    said = values(monitor, [*many, stream.after(30).tick()])
    assert len({one.segment["pool"] for one in said}) == POOLS_MAX
