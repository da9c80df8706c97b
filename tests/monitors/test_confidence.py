"""Confidence sequences."""

from __future__ import annotations

from itertools import product
from math import inf, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors.confidence import ALPHA, BoundedMean, Gap, Rate

LIMIT = log(1 / ALPHA)


@st.composite
def rates(draw: st.DrawFn) -> Rate:
    """A rate of up to some thousand items."""
    total = draw(st.integers(0, 3000))
    return Rate(draw(st.integers(0, total)), total)


@given(rates())
def test_a_rate_lies_in_its_interval(rate: Rate) -> None:
    """What was seen is never ruled out, and the ends of the interval are."""
    low, high = rate.interval()
    assert 0 <= low <= rate.value <= high <= 1
    for end in (low, high):
        if 0 < end < 1:
            assert rate.evidence(end) == pytest.approx(LIMIT, abs=1e-6)


@given(rates(), rates())
def test_parts_add_up(one: Rate, other: Rate) -> None:
    """Merging two parts of a stream is the same as counting the whole."""
    whole = Rate(one.hits + other.hits, one.total + other.total)
    one.merge(other)
    assert one == whole


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Rate(30, 100), Rate(20, 100)),
        (Rate(3, 40), Rate(90, 900)),
        (Rate(0, 50), Rate(7, 20)),
        (Rate(20, 20), Rate(15, 30)),
        (Rate(15, 30), Rate(20, 20)),
    ],
)
def test_difference_and_ratio_are_the_extremes_of_what_is_not_ruled_out(
    one: Rate, other: Rate
) -> None:
    """A search through a grid of pairs of rates finds the same ends."""
    gap, grid = Gap(one, other), np.linspace(0.0005, 0.9995, 1000)
    firsts = [(p, one.evidence(p)) for p in grid]
    seconds = [(p, other.evidence(p)) for p in grid]
    kept = [(p, q) for (p, a), (q, b) in product(firsts, seconds) if a + b < LIMIT]
    differences, ratios = [p - q for p, q in kept], [p / q for p, q in kept]
    assert gap.difference() == pytest.approx((min(differences), max(differences)), abs=0.003)
    assert gap.ratio() == pytest.approx((min(ratios), max(ratios)), rel=0.03, abs=0.01)


@given(rates(), rates())
def test_difference_and_ratio_agree(one: Rate, other: Rate) -> None:
    """Both lie around what was seen, and turning the pair round turns them round."""
    gap, back = Gap(one, other), Gap(other, one)
    low, high = gap.difference()
    assert low - 1e-9 <= one.value - other.value <= high + 1e-9 or not one.total * other.total
    assert back.difference() == pytest.approx((-high, -low))
    least, most = gap.ratio()
    assert 0 <= least <= most <= inf
    assert (low > 0) == (least > 1) or low == pytest.approx(0, abs=1e-6)


def test_more_of_the_same_says_more() -> None:
    """Intervals narrow as a stream goes on."""
    widths = [np.diff(Rate(3 * n, 10 * n).interval())[0] for n in (10, 100, 1000, 10_000)]
    assert widths == sorted(widths, reverse=True)
    gaps = [Gap(Rate(3 * n, 10 * n), Rate(n, 5 * n)).difference() for n in (10, 100, 1000)]
    assert [high - low for low, high in gaps] == sorted((h - lo for lo, h in gaps), reverse=True)


@given(st.lists(st.floats(0, 1), max_size=50), st.lists(st.floats(0, 1), max_size=50))
def test_a_mean_lies_in_its_interval(values: list[float], more: list[float]) -> None:
    """So it does after two parts were merged."""
    mean, other = BoundedMean(), BoundedMean()
    for value in values:
        mean.add(value)
    for value in more:
        other.add(value)
    mean.merge(other)
    low, high = mean.interval()
    assert low <= mean.value + 1e-9 or not mean.total
    assert mean.value <= high + 1e-9
    assert mean.total == len(values) + len(more)


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_values_out_of_bounds_are_refused(value: float) -> None:
    """The interval would not hold with them."""
    with pytest.raises(ValueError, match="not between 0 and 1"):
        BoundedMean().add(value)


def test_the_truth_is_hardly_ever_ruled_out() -> None:
    """Looked at after each of 500 values, in 200 streams, the three kinds keep their promise."""
    rng = np.random.default_rng(0)
    missed = np.zeros(3)
    for _ in range(200):
        rate, reference, mean = Rate(), Rate(), BoundedMean()
        most = np.zeros(3)
        for hit, other, value in zip(
            (rng.random(500) < 0.1).tolist(),
            (rng.random(500) < 0.1).tolist(),
            rng.beta(1, 9, 500).tolist(),
            strict=True,
        ):
            rate.add(hit)
            reference.add(other)
            mean.add(value)
            gap = Gap(rate, reference)
            evidence = (rate.evidence(0.1), gap.evidence(0.1, 0.1), mean.evidence(0.1))
            most = np.maximum(most, evidence)
        missed += most >= LIMIT
    assert (missed <= 200 * ALPHA).all()
