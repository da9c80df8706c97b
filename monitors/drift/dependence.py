"""Whether events say something about those that follow, and how a calibration can allow for it."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

_CERTAIN = 4.0
_SLIGHT = 0.02
BLOCK = 12
"""Events drawn together where they depend on each other: most of what they share is in there."""


@dataclass(frozen=True)
class Dependence:
    """How events of a reference, in their order, depend on each other.

    Attributes:
        correlation: That of an event with the one before it.
        present: Whether it is more than chance and more than slight.
    """

    correlation: float
    present: bool


def dependence_of(values: npt.NDArray[Any]) -> Dependence:
    """Return how consecutive rows of ``values`` hang together.

    Args:
        values: One row per event in the order of time, shape (events,) or (events, features).
    """
    rows = values.reshape(len(values), -1).astype(np.float64)
    rows = rows - rows.mean(axis=0)
    power = float((rows**2).sum())
    if len(rows) < 3 or power == 0:
        return Dependence(0.0, present=False)
    likeness = (rows[1:] * rows[:-1]).sum(axis=1)
    correlation = float(likeness.sum()) / power
    spread = float(likeness.std()) * sqrt(len(likeness)) / power
    return Dependence(correlation, correlation > max(_SLIGHT, _CERTAIN * spread))
