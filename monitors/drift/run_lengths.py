"""Average run lengths of charts by simulation: how long until one crosses its limit by chance."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.intp]

_HALVINGS = 40
_SHORTEST, _LONGEST = 300, 1500


def steps_for(arl: float) -> int:
    """Return how long streams must be to find the limit that keeps ``arl``."""
    return int(np.clip(arl, _SHORTEST, _LONGEST))


def resampled(rng: np.random.Generator, rows: int, shape: tuple[int, int], block: int = 1) -> Rows:
    """Return row numbers drawn again, each line in blocks of consecutive rows.

    Blocks keep what depends on what came just before it; those that reach over the end go on at the
    beginning. Every line begins in the middle of a block.

    Args:
        rng: The source of chance.
        rows: How many rows there are.
        shape: Lines, and rows in a line.
        block: Rows in a block; 1 is for rows that do not depend on each other.

    References:
        D. N. Politis, J. P. Romano, "A circular block-resampling procedure for stationary data"
        (1992).
    """
    lines, length = shape
    if block == 1:
        return rng.integers(0, rows, shape)
    starts = rng.integers(0, rows, (lines, length // block + 2))
    whole = (starts[:, :, None] + np.arange(block)) % rows
    skipped = rng.integers(0, block, lines)
    taken = skipped[:, None] + np.arange(length)
    drawn: Rows = np.take_along_axis(whole.reshape(lines, -1), taken, axis=1)
    return drawn


def average_run_length(levels: npt.NDArray[Any], limit: float) -> float:
    """Return the average number of steps until a level exceeds ``limit``.

    Runs that end before that count with the steps they have: the estimate is the steps made by the
    crossings seen, right where crossings come as by a constant chance.

    Args:
        levels: A chart's level at each step of simulated runs, shape (runs, steps).
        limit: The limit.

    >>> average_run_length(np.array([[0, 0, 2, 0], [0, 0, 0, 0]]), 1)
    7.0
    """
    return _average(np.maximum.accumulate(levels, axis=1), limit)


def limit_for(levels: npt.NDArray[Any], arl: float) -> float:
    """Return the limit that ``levels`` take ``arl`` steps on average to exceed.

    Args:
        levels: A chart's level at each step of simulated runs, shape (runs, steps).
        arl: The average run length aimed at, in steps.
    """
    highest = np.maximum.accumulate(levels, axis=1)
    low, high = 0.0, float(highest.max()) * 1.01 + 1e-9
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if _average(highest, middle) < arl:
            low = middle
        else:
            high = middle
    return high


def _average(highest: npt.NDArray[Any], limit: float) -> float:
    steps = highest.shape[1]
    before = (highest <= limit).sum(axis=1)
    crossings = int((before < steps).sum())
    return float(np.minimum(before + 1, steps).sum()) / max(0.5, crossings)
