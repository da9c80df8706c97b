"""Quantiles of measured times, with intervals that suppose nothing about how they are spread."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

_NORMAL = 1.959964


class Quantile(BaseModel):
    """A quantile and its 95 % interval.

    Attributes:
        n: How many values it is of.
        low: Where the interval begins.
        high: Where it ends; the largest value where there are too few to say.
    """

    model_config = ConfigDict(frozen=True)

    n: int
    value: float
    low: float
    high: float


def quantile(values: Sequence[float], share: float, digits: int = 4) -> Quantile:
    """Return the ``share`` quantile of ``values``, between order statistics.

    Args:
        values: At least one.
        share: 0 to 1.
        digits: Decimals of the result.

    References:
        W. J. Conover, "Practical Nonparametric Statistics", 3rd edition (1999), section 3.2.

    >>> quantile([float(number) for number in range(1, 101)], 0.5)
    Quantile(n=100, value=51.0, low=41.0, high=61.0)
    """
    ordered = sorted(values)
    n = len(ordered)
    half = _NORMAL * math.sqrt(n * share * (1 - share))
    low, high = math.floor(n * share - half), math.ceil(n * share + half)
    return Quantile(
        n=n,
        value=round(ordered[min(n - 1, int(n * share))], digits),
        low=round(ordered[max(0, low)], digits),
        high=round(ordered[min(n - 1, high)], digits),
    )
