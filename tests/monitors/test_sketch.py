"""Quantiles in little memory."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors.sketch import LogSketch
from monitors.state import dump, load

VALUES = st.lists(st.floats(0.001, 100_000), min_size=1, max_size=60)


@given(VALUES, st.floats(0, 1))
def test_quantiles_are_within_one_per_cent(values: list[float], share: float) -> None:
    """The quantile of the sketch is that of the sorted values, but for one per cent."""
    sketch = LogSketch()
    for value in values:
        sketch.add(value)
    exact = sorted(values)[max(1, math.ceil(share * len(values))) - 1]
    assert sketch.quantile(share) == pytest.approx(exact, rel=0.0101)


@given(VALUES, VALUES)
def test_parts_add_up_to_the_whole(first: list[float], second: list[float]) -> None:
    """Merging sketches gives the sketch of all values."""
    part, rest, whole = LogSketch(), LogSketch(), LogSketch()
    for value in first:
        part.add(value)
    for value in second:
        rest.add(value)
    for value in first + second:
        whole.add(value)
    part.merge(rest)
    assert part == whole
    assert load(LogSketch, dump(whole)) == whole


def test_an_empty_sketch_has_no_quantiles() -> None:
    """There is no answer to make up."""
    with pytest.raises(ValueError, match="empty"):
        LogSketch().quantile(0.5)
