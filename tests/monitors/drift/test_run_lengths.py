"""Limits from simulated runs, and how events that hang together are drawn and recognised."""

from __future__ import annotations

import numpy as np

from monitors.drift.dependence import dependence_of
from monitors.drift.run_lengths import average_run_length, limit_for, resampled


def test_a_limit_keeps_its_run_length_on_fresh_runs() -> None:
    """For levels drawn independently it is the quantile that it must be."""
    rng = np.random.default_rng(0)
    limit = limit_for(rng.random((400, 200)), 100)
    assert abs(limit - 0.99) < 0.002
    assert 85 < average_run_length(rng.random((400, 200)), limit) < 118


def test_blocks_keep_what_follows_what() -> None:
    """Nearly all neighbours in a drawn line are neighbours in the rows."""
    drawn = resampled(np.random.default_rng(1), 50, (20, 300), block=10)
    assert drawn.shape == (20, 300)
    assert drawn.min() >= 0
    assert drawn.max() < 50
    assert ((np.diff(drawn, axis=1) % 50) == 1).mean() > 0.85


def test_dependence_is_told_from_chance() -> None:
    """A wandering value depends on the one before, independent ones do not, constants neither."""
    rng = np.random.default_rng(2)
    noise = rng.normal(size=1000)
    wandering = np.convolve(noise, [1.0, 0.8, 0.6], "valid")
    assert dependence_of(wandering).present
    assert dependence_of(wandering).correlation > 0.5
    assert not dependence_of(noise).present
    assert not dependence_of(np.ones(100)).present
