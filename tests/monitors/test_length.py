"""Lengths of answers."""

from __future__ import annotations

import pytest

from monitors.length import LengthShift
from tests.monitors.observations import Stream
from tests.monitors.traffic import Episode
from tests.monitors.watching import steady, told, told_on


@pytest.mark.parametrize("seed", range(3))
def test_steady_traffic_says_nothing(seed: int) -> None:
    """Lengths vary; that is no news."""
    assert told(LengthShift(), steady(seed)) == []


@pytest.mark.parametrize(("tokens", "change"), [(60, "longer"), (3, "shorter")])
def test_a_change_of_length_is_told_each_way(tokens: int, change: str) -> None:
    """Rambling and breaking off are told apart, and so is their end."""
    findings = told_on(LengthShift, Episode(400, 150, tokens=tokens))
    small = [finding for finding in findings if finding.segment["pool"] == "small"]
    assert [finding.kind for finding in small] == ["detection", "recovery"]
    assert small[0].segment["change"] == change
    assert f"answers became {change}" in small[0].cause


def test_answers_at_their_cap_cannot_become_longer() -> None:
    """When nearly every answer is cut off at the same length, that is the usual length."""
    stream = Stream()
    capped = [stream.after(0.5).response(f"r{n}", tokens=32) for n in range(1000)]
    assert told(LengthShift(), capped) == []


def test_the_cause_names_lengths_and_limit() -> None:
    """It states the usual length and the length now."""
    stream = Stream("bank")
    calm = [stream.after(0.5).response(f"r{n}", tokens=20) for n in range(200)]
    short = [stream.after(0.5).response(f"s{n}", tokens=2) for n in range(20)]
    (shift,) = told(LengthShift(), calm + short)
    assert shift.cause.startswith(
        "answers became shorter: half of the answers had 2 tokens or more over the last "
    )
    assert "(20 in the first 200)" in shift.cause
    assert shift.limit == 13
