"""Intervals for rates."""

from __future__ import annotations

import math

_NORMAL = 1.959964


def wilson(hits: int, n: int) -> tuple[float, float] | None:
    """Return the 95 % interval of the rate ``hits / n``; None of nothing.

    References:
        E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
        Journal of the American Statistical Association 22 (1927).

    >>> wilson(9, 10)
    (0.5958, 0.9821)
    """
    if n == 0:
        return None
    rate = hits / n
    square = _NORMAL**2 / n
    centre = (rate + square / 2) / (1 + square)
    half = _NORMAL / (1 + square) * math.sqrt(rate * (1 - rate) / n + square / (4 * n))
    return round(max(0.0, centre - half), 4), round(min(1.0, centre + half), 4)
