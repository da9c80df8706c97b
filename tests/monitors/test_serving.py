"""How engines serve, in figures."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from monitors.serving import POOLS_MAX, Serving
from schemas.registry import Price
from schemas.requests import Failure, FailureReason, ResponseStatus
from schemas.watching import Finding
from tests.monitors.observations import NOON, Stream
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


PRICES = {"small": Price(prompt=0.0, completion=1000.0)}
"""A thousandth of a dollar a token written."""


def day(tokens_by_hour: Sequence[int], budget_usd: float = 20.0) -> list[Finding]:
    """Return what is said of a day from noon on: an answer of so many tokens a minute."""
    stream, monitor, found = Stream("bank"), Serving(PRICES, budget_usd), []
    for hour, tokens in enumerate(tokens_by_hour):
        for minute in range(60):
            answer = stream.after(30).response(f"r{hour}-{minute}", tokens=tokens)
            for one in (answer, stream.after(30).tick()):
                found += monitor.observe(one)
    return found


def test_what_answers_cost_is_stated_and_begins_anew_each_day() -> None:
    """Ten tokens a minute are 0.60 USD an hour, until midnight."""
    spent = [one for one in day([10] * 14) if one.metric == "spent_usd"]
    by_hour = [one.value for one in spent][59::60]
    assert by_hour[:11] == pytest.approx([0.6 * hour for hour in range(1, 12)])
    assert spent[-1].value == pytest.approx(1.2, abs=0.02)
    assert {one.segment["pool"] for one in spent} == {"small"}
    assert spent[-1].since_at == NOON + timedelta(hours=12)


def test_a_day_that_gets_too_dear_is_told_before_the_money_is_spent_and_its_end() -> None:
    """After ten minutes at the earliest; what the last hour cost is what all others will."""
    begun, ended = [one for one in day([10, 60, 60, 10, 10]) if one.kind != "value"]
    assert (begun.kind, ended.kind) == ("detection", "recovery")
    assert begun.metric == "projected_usd"
    assert begun.limit == 20.0
    assert begun.value > 20.0
    assert "so far; deployment bank" in begun.cause
    spent = float(begun.cause.split(": ")[1].split(" ")[0])
    assert spent < 5
    assert ended.value <= 18


def test_nothing_is_too_dear_without_a_budget_or_within_it() -> None:
    """Ten tokens a minute from noon on come to 7.20 USD."""
    assert all(one.kind == "value" for one in day([10] * 14))
    assert all(one.kind == "value" for one in day([10] * 3, budget_usd=7.4))
    assert any(one.kind == "detection" for one in day([10] * 3, budget_usd=7.0))
