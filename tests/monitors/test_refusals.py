"""Declined requests, more of them or suddenly none."""

from __future__ import annotations

import pytest

from monitors.refusals import RefusalShift
from schemas.verdicts import Direction, Outcome
from schemas.watching import Observation
from tests.monitors.observations import Stream, verdict
from tests.monitors.traffic import Episode
from tests.monitors.watching import steady, told, told_on


@pytest.mark.parametrize("seed", range(3))
def test_steady_traffic_says_nothing(seed: int) -> None:
    """A model declines now and then."""
    assert told(RefusalShift(), steady(seed)) == []


def test_a_rise_is_told_and_its_end() -> None:
    """Half of the answers declining is told, with the share at first."""
    shift, back = told_on(RefusalShift, Episode(400, 100, refused=0.5))
    assert (shift.kind, back.kind) == ("detection", "recovery")
    assert shift.segment == {"change": "rise"}
    assert "of answers declined over the last" in shift.cause
    assert shift.exemplars


def answers(stream: Stream, refused_of_ten: int, count: int) -> list[Observation]:
    """Return answers of which so many of every ten decline."""
    said = [Outcome.FLAG] * refused_of_ten + [Outcome.PASS] * (10 - refused_of_ten)
    return [
        stream.after(1).scanned(f"r{n}", [verdict("refusal", said[n % 10])], Direction.ANSWER)
        for n in range(count)
    ]


def test_a_fall_is_told_as_well() -> None:
    """A model that declined four of ten and no longer does has lost its caution."""
    stream = Stream()
    (shift,) = told(RefusalShift(), answers(stream, 4, 200) + answers(stream, 0, 100))
    assert shift.segment == {"change": "fall"}
    assert shift.value == 0
    assert shift.baseline == pytest.approx(0.4)


def test_what_could_not_be_scanned_does_not_count() -> None:
    """A broken guard says nothing about the model."""
    stream = Stream()
    broken = [verdict("refusal", Outcome.NOT_SCANNED)]
    unread = [stream.after(1).scanned(f"u{n}", broken, Direction.ANSWER) for n in range(300)]
    assert told(RefusalShift(), answers(stream, 0, 200) + unread) == []
