"""Drift of one number an event: lengths, latencies, scores, log-probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from monitors.drift.averages import Chart, Charted, fit_chart
from monitors.drift.detector import FEWEST, Alarm
from monitors.drift.run_lengths import Floats


@dataclass(frozen=True)
class ScalarReference:
    """Numbers that count as usual.

    Attributes:
        values: They, ascending.
        chart: What is usual of their ranks.
    """

    values: tuple[float, ...]
    chart: Chart


def fit_scalar(values: Sequence[float], arl: float, seed: int = 0) -> ScalarReference:
    """Return the reference that usual values make, in the order of time.

    Raises:
        ValueError: If there are fewer than 100.
    """
    if len(values) < FEWEST:
        raise ValueError(f"{len(values)} values; a reference needs at least {FEWEST}")
    given = np.array(values, np.float64)
    ordered = np.sort(given)
    return ScalarReference(tuple(ordered.tolist()), fit_chart(_features(ordered, given), arl, seed))


class ScalarDrift(Charted):
    """Raise an alarm when values become higher, lower, more or less spread than the reference.

    A value counts by its rank among the reference's, as a normal score: whatever the values'
    distribution, no single one weighs much. One chart watches the scores' mean and spread.

    Args:
        reference: What is usual.

    References:
        S. Chakraborti, M. A. Graham, "Nonparametric (distribution-free) control charts: an updated
        overview", Quality Engineering 31 (2019).

    >>> rng = np.random.default_rng(1)
    >>> drift = ScalarDrift(fit_scalar(rng.lognormal(0, 1, 500), arl=500))
    >>> [number for number in range(60) if drift.update(rng.lognormal(1, 1))][0]
    9
    """

    def __init__(self, reference: ScalarReference) -> None:
        self._ordered = np.array(reference.values)
        super().__init__(reference.chart)

    def update(self, value: float) -> Alarm | None:
        """Take in one value; return an alarm if there is one."""
        level = self._average.update(_features(self._ordered, np.array([value]))[0])
        if level <= 1:
            return None
        mean, spread = self._average.moved.tolist()
        # Values that all move to one side also seem more spread, by less than twice as much.
        if 2 * abs(mean) >= abs(spread):
            move = "higher" if mean > 0 else "lower"
        else:
            move = "wider" if spread > 0 else "narrower"
        self._average.restart()
        return Alarm(move, level)


_inverse = np.vectorize(NormalDist().inv_cdf, otypes=[np.float64])


def _features(ordered: npt.NDArray[np.float64], values: npt.NDArray[np.float64]) -> Floats:
    """Return where values stand among the usual: to which side, how far out; (values, 2)."""
    below = np.searchsorted(ordered, values, side="left")
    upto = np.searchsorted(ordered, values, side="right")
    score = _inverse((below + upto + 1) / (2 * (len(ordered) + 1)))
    return np.stack([score, (score**2 - 1) / np.sqrt(2)], axis=1).astype(np.float32)
