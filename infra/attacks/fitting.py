"""Fit the model that tells attacks from other texts, the same weights for the same seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from monitors.attack_features import BUCKETS, Buckets
from monitors.attack_model import FEWEST, Floats, Reading

_EPOCHS = 4
_BATCH = 128
_RATE = 0.04
_LOST_RATE = 0.4
_DECAY = 2e-6
_WINDOWS_MAX = 6
_FIRST_DECAY, _SECOND_DECAY, _TINY = 0.9, 0.999, 1e-8


def fit(
    readings: Sequence[Reading], attacks: Sequence[bool], weights: Sequence[float], seed: int
) -> tuple[Floats, Floats, float]:
    """Return patterns, style and bias of an :class:`~monitors.attack_model.AttackModel`.

    Logistic loss; patterns get lost at random, so that none is relied on alone, and of a long text
    some windows are read at a time. The gradient flows into the worst window only.

    Args:
        readings: The texts.
        attacks: What they are.
        weights: How much each counts.
        seed: Decides order and losses.

    References:
        D. P. Kingma and J. Ba, "Adam: a method for stochastic optimization", ICLR (2015).
        N. Srivastava et al., "Dropout", Journal of Machine Learning Research 15 (2014).
    """
    rng = np.random.default_rng(seed)
    windows = _Rows.of([window for read in readings for window in read.windows])
    whole, style = _Rows.of([r.whole for r in readings]), _Rows.of([r.style for r in readings])
    counts = np.array([len(read.windows) for read in readings])
    first_window = np.cumsum(counts) - counts
    labels, worth = np.asarray(attacks, np.float64), np.asarray(weights, np.float64)
    adam = _Adam(2 * BUCKETS + 1)
    steps = _EPOCHS * -(-len(readings) // _BATCH)
    for _ in range(_EPOCHS):
        order = rng.permutation(len(readings))
        for at in range(0, len(order), _BATCH):
            chosen = order[at : at + _BATCH]
            read = [_some(rng, first_window[n], counts[n]) for n in chosen]
            bags = (
                windows.taken(np.concatenate(read), rng),
                whole.taken(chosen, rng, scaled=False),
                style.taken(chosen, rng),
            )
            patterns, styles, bias = adam.point[:BUCKETS], adam.point[BUCKETS:-1], adam.point[-1]
            of_windows = bags[0].sums(patterns)
            worst = _worst(of_windows, [len(some) for some in read])
            scores = of_windows[worst] + bags[1].sums(patterns) + bags[2].sums(styles) + bias
            slopes = (1 / (1 + np.exp(-scores)) - labels[chosen]) * worth[chosen] / len(chosen)
            into = np.zeros(len(of_windows))
            into[worst] = slopes
            gradient = 2 * _DECAY * adam.point
            gradient[:BUCKETS] += bags[0].spread(into) + bags[1].spread(slopes)
            gradient[BUCKETS:-1] += bags[2].spread(slopes)
            gradient[-1] = slopes.sum()
            adam.step(gradient, _RATE * (1 - adam.steps / steps))
    found = adam.point.astype(np.float32)
    return found[:BUCKETS], found[BUCKETS:-1], float(found[-1])


@dataclass(frozen=True)
class _Bags:
    """Buckets of some rows, and what each adds to the sum of its row."""

    buckets: Buckets
    factors: npt.NDArray[np.float64]
    rows: npt.NDArray[np.int64]
    count: int

    def sums(self, table: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the sum of each row."""
        added = table[self.buckets] * self.factors
        return np.bincount(self.rows, added, self.count).astype(np.float64, copy=False)

    def spread(self, slopes: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the gradient of the table, given that of the sums."""
        flows = np.bincount(self.buckets, slopes[self.rows] * self.factors, BUCKETS)
        return flows.astype(np.float64, copy=False)


@dataclass(frozen=True)
class _Rows:
    """Rows of buckets, one after the other."""

    buckets: Buckets
    starts: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int64]

    @classmethod
    def of(cls, rows: Sequence[Buckets]) -> _Rows:
        lengths = np.array([len(row) for row in rows], np.int64)
        return cls(np.concatenate(rows), np.cumsum(lengths) - lengths, lengths)

    def taken(
        self, chosen: npt.NDArray[np.int64], rng: np.random.Generator, scaled: bool = True
    ) -> _Bags:
        """Return the ``chosen`` rows, some buckets lost; ``scaled`` as the model scales means."""
        lengths = self.lengths[chosen]
        rows = np.repeat(np.arange(len(chosen)), lengths)
        places = np.arange(len(rows)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        kept = rng.random(len(rows)) >= _LOST_RATE
        rows, places = rows[kept], places[kept]
        left = np.bincount(rows, minlength=len(chosen))
        factors = 1 / np.sqrt(np.maximum(FEWEST, left)) if scaled else np.ones(len(chosen))
        buckets = self.buckets[self.starts[chosen][rows] + places]
        return _Bags(buckets, factors[rows], rows, len(chosen))


class _Adam:
    """A point that moves against gradients, each coordinate at a pace of its own."""

    def __init__(self, size: int) -> None:
        self.point = np.zeros(size)
        self.steps = 0
        self._first, self._second = np.zeros(size), np.zeros(size)

    def step(self, gradient: npt.NDArray[np.float64], rate: float) -> None:
        """Move against ``gradient``."""
        self.steps += 1
        self._first += (1 - _FIRST_DECAY) * (gradient - self._first)
        self._second += (1 - _SECOND_DECAY) * (gradient * gradient - self._second)
        first = 1 - _FIRST_DECAY**self.steps
        second = 1 - _SECOND_DECAY**self.steps
        self.point -= rate / first * self._first / (np.sqrt(self._second / second) + _TINY)


def _some(rng: np.random.Generator, first: int, count: int) -> npt.NDArray[np.int64]:
    """Return the windows to read of a text, all unless there are many."""
    if count <= _WINDOWS_MAX:
        return np.arange(first, first + count)
    return first + rng.choice(count, _WINDOWS_MAX, replace=False)


def _worst(sums: npt.NDArray[np.float64], counts: Sequence[int]) -> npt.NDArray[np.int64]:
    """Return which of the windows weighs most in each text."""
    starts = np.cumsum(counts) - counts
    return np.array(
        [
            start + int(sums[start : start + n].argmax())
            for start, n in zip(starts, counts, strict=True)
        ]
    )
