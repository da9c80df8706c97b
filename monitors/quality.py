"""How often a model is right, estimated from how sure it is, and corrected as labels come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from monitors.confidence import ALPHA, BoundedMean, Interval
from monitors.monitor import Snapshot
from monitors.state import dump, load


@dataclass(frozen=True)
class Calibration:
    """What a model's confidence is worth, as labelled examples show.

    Attributes:
        confidences: Ascending; between two of them chances are interpolated.
        chances: How often answers of each confidence were right, never falling.
        spread: By how much the mean chance of a group of examples missed its share of right ones,
            typically, beyond what chance explains. That much the estimate may be off when a stream
            comes to be about few groups.
    """

    confidences: tuple[float, ...]
    chances: tuple[float, ...]
    spread: float

    def chance(self, confidence: float) -> float:
        """Return the chance, 0 to 1, that an answer of this confidence is right."""
        return float(np.interp(confidence, self.confidences, self.chances))


def fit_calibration(
    confidences: Sequence[float], right: Sequence[bool], groups: Sequence[str]
) -> Calibration:
    """Return what confidence is worth on examples that the model was not fitted on.

    Args:
        confidences: How sure the model was of each example; any scale that rises.
        right: Whether it was right.
        groups: What each example is about; the model's errors may be alike within a group.

    Raises:
        ValueError: If there is no example.

    References:
        B. Zadrozny, C. Elkan, "Transforming classifier scores into accurate multiclass probability
        estimates", KDD (2002): isotonic regression, by pooling adjacent violators.

    >>> fit_calibration([0.2, 0.4, 0.6, 0.9], [False, True, False, True], ["a"] * 4).chances
    (0.0, 0.5, 1.0)
    """
    if not len(confidences):
        raise ValueError("no example to calibrate on")
    tied: dict[float, list[bool]] = {}
    for confidence, hit in sorted(zip(confidences, right, strict=True)):
        tied.setdefault(confidence, []).append(hit)
    pooled: list[tuple[float, float, int]] = []
    for confidence, hits in tied.items():
        pooled.append((confidence * len(hits), float(sum(hits)), len(hits)))
        while len(pooled) > 1 and pooled[-2][1] / pooled[-2][2] >= pooled[-1][1] / pooled[-1][2]:
            last, before = pooled.pop(), pooled.pop()
            pooled.append((last[0] + before[0], last[1] + before[1], last[2] + before[2]))
    known = Calibration(
        confidences=tuple(total / n for total, _, n in pooled),
        chances=tuple(times / n for _, times, n in pooled),
        spread=0.0,
    )
    chances = np.array([known.chance(confidence) for confidence in confidences])
    return Calibration(
        known.confidences, known.chances, _spread(chances, np.array(right, float), groups)
    )


def _spread(
    chances: np.ndarray[tuple[int], np.dtype[np.float64]],
    right: np.ndarray[tuple[int], np.dtype[np.float64]],
    groups: Sequence[str],
) -> float:
    """Return the root mean square of the groups' errors, less what sampling adds to it."""
    names = np.array(groups)
    squares = []
    for name in sorted(set(groups)):
        inside = names == name
        error = float((chances[inside] - right[inside]).mean())
        noise = float((chances[inside] * (1 - chances[inside])).sum()) / int(inside.sum()) ** 2
        squares.append(error**2 - noise)
    return float(np.sqrt(max(0.0, float(np.mean(squares)))))


@dataclass(frozen=True)
class Estimate:
    """How often a model is right.

    Attributes:
        value: The estimated share, 0 to 1.
        interval: Where it lies, however often one looks. Without labels it supposes that chances
            are off by no more than in a typical group of the reference. Labels that speak against
            that, or say more, replace it by one that only supposes that they are a random sample.
        answers: How many answers it is about.
        labels: How many of them had a label.
    """

    value: float
    interval: Interval
    answers: int
    labels: int


@dataclass
class _State:
    chances: BoundedMean = field(default_factory=BoundedMean)
    residuals: BoundedMean = field(default_factory=BoundedMean)


class EstimatedQuality:
    """Follow the share of right answers of a stream of which few labels are known, or none.

    Without labels it is the mean chance of being right, by confidence. What a label then says is
    the residual, right or wrong less the chance; the mean residual is added, and weighs the more
    the more labels there are, for what the calibration may be off is known. The state is six
    numbers; parts of a stream add up.

    Attributes:
        calibration: What confidence is worth.

    References:
        S. Garg et al., "Leveraging unlabeled data to predict out-of-distribution performance", ICLR
        (2022): average confidence and what else there is. A. Angelopoulos et al.,
        "Prediction-powered inference", Science 382 (2023): the correction by residuals.

    >>> calibration = Calibration((0.0, 1.0), (0.1, 0.9), spread=0.05)
    >>> quality = EstimatedQuality(calibration)
    >>> for _ in range(1000):
    ...     quality.observe(0.8)
    >>> round(quality.estimate().value, 2)
    0.74
    >>> for number in range(200):
    ...     quality.label(0.8, right=number % 2 == 0)
    >>> round(quality.estimate().value, 2)
    0.51
    """

    def __init__(self, calibration: Calibration) -> None:
        self.calibration = calibration
        self._state = _State()

    def observe(self, confidence: float) -> None:
        """Take in one answer, by how sure the model was of it."""
        self._state.chances.add(self.calibration.chance(confidence))

    def label(self, confidence: float, right: bool) -> None:
        """Take in that an answer that was observed before turned out right or wrong.

        Args:
            confidence: How sure the model was of it.
            right: What came out.
        """
        self._state.residuals.add((1 + right - self.calibration.chance(confidence)) / 2)

    def merge(self, other: EstimatedQuality) -> None:
        """Take in what another part of the stream has taken in, under the same calibration."""
        self._state.chances.merge(other._state.chances)
        self._state.residuals.merge(other._state.residuals)

    def estimate(self, alpha: float = ALPHA) -> Estimate:
        """Return the share of right answers so far; of none, that nothing is known."""
        chances, residuals = self._state.chances, self._state.residuals
        if not chances.total:
            return Estimate(0.5, (0.0, 1.0), 0, residuals.total)
        correction, signal = self._correction()
        supposed, spread = self.calibration.spread**2, self.calibration.spread
        low, high = chances.interval(alpha)
        interval = _within(low - spread, high + spread)
        if residuals.total:
            low, high = chances.interval(alpha / 2)
            least, most = (2 * end - 1 for end in residuals.interval(alpha / 2))
            labelled = _within(low + least, high + most)
            if signal > supposed or labelled[1] - labelled[0] < interval[1] - interval[0]:
                interval = labelled
        value = min(interval[1], max(interval[0], chances.value + correction))
        return Estimate(value, interval, chances.total, residuals.total)

    def _correction(self) -> tuple[float, float]:
        """Return what labels add, and by how much, squared, the chances seem to be off.

        Of the mean residual less is added the more of it may be chance.
        """
        residuals, supposed = self._state.residuals, self.calibration.spread**2
        if not residuals.total:
            return 0.0, supposed
        mean = 2 * residuals.value - 1
        noise = 4 * (residuals.surprise + 0.25) / (residuals.total + 1) / residuals.total
        signal = max(supposed, mean**2 - noise)
        return mean * signal / (signal + noise), signal

    def snapshot(self) -> Snapshot:
        """Return the whole state as JSON; the calibration is its owner's to keep."""
        return dump(self._state)

    def restore(self, snapshot: Snapshot) -> None:
        """Take on the state that :meth:`snapshot` returned."""
        self._state = load(_State, snapshot)


def _within(low: float, high: float) -> Interval:
    return max(0.0, low), min(1.0, high)
