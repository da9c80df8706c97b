"""One rate: how seldom it is wrong, how soon it is right."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from datetime import timedelta
from statistics import mean, median

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors.rates import RateShift, Shift, upper_bound
from tests.monitors.observations import NOON


def fed(rate: RateShift, hits: Iterable[bool]) -> list[tuple[int, Shift]]:
    """Return the shifts that ``rate`` tells, each with the number of its item, one a second."""
    shifts = []
    for number, hit in enumerate(hits):
        shown = (f"r{number}",) if hit else ()
        shift = rate.observe(hit, 1, NOON + timedelta(seconds=number), shown)
        if shift is not None:
            shifts.append((number, shift))
    return shifts


def test_the_stated_run_length_holds_at_the_usual_rate() -> None:
    """At exactly the highest usual rate, false alarms are on average at least as far apart."""
    rng = np.random.default_rng(1)
    lengths = []
    for _ in range(200):
        rate = RateShift(usual=0.05, shifted=0.25, baseline=0.05, arl=300)
        hits = iter(lambda: bool(rng.random() < 0.05), None)
        lengths.append(next(n for n, hit in enumerate(hits, 1) if rate.observe(hit, 1, NOON)))
    assert mean(lengths) >= 300


def test_the_run_length_holds_for_items_that_depend_on_each_other() -> None:
    """Ten items that are all hits or none, taken as one step, cause no more false alarms."""
    rng = np.random.default_rng(2)
    lengths = []
    for _ in range(200):
        rate = RateShift(usual=0.05, shifted=0.25, baseline=0.05, arl=300)
        hits = iter(lambda: 10 * int(rng.random() < 0.05), None)
        lengths.append(next(n for n, hit in enumerate(hits, 1) if rate.observe(hit, 10, NOON)))
    assert mean(lengths) >= 300


def test_a_burst_is_told_within_a_few_dozen_items() -> None:
    """Forty per cent instead of half a per cent takes less than 30 items on average."""
    rng = np.random.default_rng(3)
    delays = []
    for _ in range(100):
        rate = RateShift.after(hits=1, total=200)
        calm = (bool(rng.random() < 0.005) for _ in range(300))
        assert fed(rate, calm) == []
        shifts = fed(rate, (bool(rng.random() < 0.4) for _ in range(300)))
        delays.append(shifts[0][0])
    assert median(delays) < 30


def test_a_shift_and_its_end_are_told_once_each() -> None:
    """While it lasts there is silence; when it is over that is said; then all is as before."""
    burst = ([False] * 100 + [True, False] * 100 + [False] * 200) * 2
    shifts = [shift for _, shift in fed(RateShift.after(0, 200), burst) if shift.kind != "value"]
    assert [shift.kind for shift in shifts] == ["detection", "recovery"] * 2


def test_a_shift_knows_when_it_began_and_who_shows_it() -> None:
    """The change point is the first item of the burst, the rate is counted from there."""
    ((_, shift), *_) = fed(RateShift.after(0, 200), [False] * 100 + [True] * 20)
    assert shift.since_at == NOON + timedelta(seconds=100)
    assert shift.rate == 1.0
    assert shift.exemplars[-1] == "r100"
    assert len(shift.exemplars) == shift.samples <= 10


def test_a_rate_that_is_always_high_says_nothing() -> None:
    """When nearly everything is a hit at first, more hits are no news."""
    assert fed(RateShift.after(198, 200), [True] * 5000) == []


@pytest.mark.parametrize("dependence", [1.0, 2.0])
def test_dependent_items_are_worth_less(dependence: float) -> None:
    """Twice the dependence takes twice the evidence."""
    rate = RateShift.after(0, 200, dependence=dependence)
    ((number, _), *_) = fed(rate, [True] * 30)
    assert number == (8 if dependence == 1.0 else 16)


@given(st.integers(0, 50), st.integers(1, 50))
def test_the_upper_bound_is_one(hits: int, more: int) -> None:
    """It lies above the rate seen, and comes closer the more items there are."""
    bound = upper_bound(hits, hits + more)
    assert hits / (hits + more) < bound < 1
    assert upper_bound(4 * hits, 4 * (hits + more)) < bound


def test_the_upper_bound_covers() -> None:
    """Of many runs at one rate, the bound lies above it in 98 of 100 at least."""
    rng = np.random.default_rng(4)
    bounds = [upper_bound(int(rng.binomial(200, 0.03)), 200) for _ in range(500)]
    assert mean(bound >= 0.03 for bound in bounds) >= 0.98


def test_a_shift_that_lasts_becomes_surer_and_says_so_now_and_then() -> None:
    """Every time at least ten times as sure, and in the end no more."""
    shifts = [shift for _, shift in fed(RateShift.after(0, 200), [True] * 200)]
    assert [shift.kind for shift in shifts] == ["detection"] + ["value"] * (len(shifts) - 1)
    assert 5 <= len(shifts) <= 15
    values = [shift.e_value for shift in shifts if shift.e_value is not None]
    assert all(later >= 9.99 * earlier for earlier, later in itertools.pairwise(values))
    assert {shift.since_at for shift in shifts} == {NOON}


def test_e_values_are_seldom_large_without_a_change() -> None:
    """On at most a share alpha of the days they reach 1 / alpha, whenever one looks."""
    rng = np.random.default_rng(8)
    largest = []
    for _ in range(500):
        rate = RateShift(usual=0.05, shifted=0.25, baseline=0.05, arl=5)
        shifts = [shift for _, shift in fed(rate, rng.random(500) < 0.05)]
        largest.append(max((shift.e_value or 0.0 for shift in shifts), default=0.0))
    for alpha in (0.1, 0.02):
        share = mean(value >= 1 / alpha for value in largest)
        assert share <= alpha + 3 * (alpha * (1 - alpha) / len(largest)) ** 0.5
