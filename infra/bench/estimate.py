"""A figure with what chance may have done to it."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

_STUDENT = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)
"""Student's t for 95 %, two-sided, by degrees of freedom from 1 on."""
_NORMAL = 1.96


class Estimate(BaseModel):
    """The mean of repetitions and its 95 % interval.

    Attributes:
        low: Where the interval begins.
        high: Where it ends.
        values: The repetitions.
    """

    model_config = ConfigDict(frozen=True)

    mean: float
    low: float
    high: float
    values: tuple[float, ...]


def estimate(values: Sequence[float]) -> Estimate:
    """Return the mean of ``values`` with Student's interval; of one value, that value alone.

    >>> estimate([9.0, 10.0, 11.0])
    Estimate(mean=10.0, low=7.52, high=12.48, values=(9.0, 10.0, 11.0))
    """
    mean = statistics.fmean(values)
    half = 0.0
    if len(values) > 1:
        freedom = len(values) - 2
        factor = _STUDENT[freedom] if freedom < len(_STUDENT) else _NORMAL
        half = factor * statistics.stdev(values) / math.sqrt(len(values))
    return Estimate(
        mean=round(mean, 2),
        low=round(mean - half, 2),
        high=round(mean + half, 2),
        values=tuple(round(value, 2) for value in values),
    )
