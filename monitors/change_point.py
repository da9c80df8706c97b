"""When a rate changed: the likeliest moment, and those that are nearly as likely."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

NEARLY = 3.675
"""Nats below the best that a moment may be and still lie in the interval. At a change point, twice
the ratio stays below x with a chance of (1 - exp(-x / 2))^2; this is half the x of 95 %."""


@dataclass(frozen=True)
class Moment:
    """Before which item of a sequence it changed: ``index``, within ``earliest`` to ``latest``."""

    index: int
    earliest: int
    latest: int


def change_point(hits: npt.NDArray[np.float64]) -> Moment:
    """Return before which item of a sequence the rate of hits changed.

    The interval holds all moments at which the log likelihood ratio is within :data:`NEARLY` of the
    largest.

    Args:
        hits: 0 or 1 of each item in order, two items at least.

    Raises:
        ValueError: If there are fewer than two items.

    References:
        D. Siegmund, "Confidence sets in change-point problems", International Statistical Review 56
        (1988). B. E. Hansen, "Sample splitting and threshold estimation", Econometrica 68 (2000):
        the limit.

    >>> calm, ill = [0.0] * 40, [1.0, 0.0, 1.0, 1.0] * 5
    >>> change_point(np.array(calm + ill))
    Moment(index=40, earliest=37, latest=42)
    """
    count = len(hits)
    if count < 2:
        raise ValueError("a change needs two items at least")
    first = np.arange(1, count, dtype=np.float64)
    found = np.cumsum(hits)[:-1]
    gain = _likelihood(found, first) + _likelihood(hits.sum() - found, count - first)
    best = int(gain.argmax())
    near = np.flatnonzero(gain >= gain[best] - NEARLY)
    return Moment(best + 1, int(near[0]) + 1, int(near[-1]) + 1)


def _likelihood(
    hits: npt.NDArray[np.float64], items: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    rate = np.clip(hits / items, 1e-12, 1 - 1e-12)
    told: npt.NDArray[np.float64] = hits * np.log(rate) + (items - hits) * np.log(1 - rate)
    return told
