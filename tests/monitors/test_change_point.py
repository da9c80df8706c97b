"""The moment of a change, and an interval that holds it as often as it says."""

from __future__ import annotations

import numpy as np
import pytest

from monitors.change_point import change_point


def test_the_interval_holds_the_moment_nineteen_times_in_twenty() -> None:
    """Over four hundred changes of many sizes."""
    rng = np.random.default_rng(7)
    held = 0
    for _ in range(400):
        when, later = int(rng.integers(60, 400)), int(rng.integers(20, 200))
        low = rng.uniform(0.005, 0.2)
        hits = np.concatenate([rng.random(when) < low, rng.random(later) < low + 0.4])
        moment = change_point(hits.astype(np.float64))
        assert moment.earliest <= moment.index <= moment.latest
        held += moment.earliest <= when <= moment.latest
    assert held >= 0.92 * 400


def test_one_item_cannot_change() -> None:
    """There is no moment in a sequence of one."""
    with pytest.raises(ValueError, match="two items"):
        change_point(np.ones(1))
