"""How well scores tell two kinds apart, whatever the threshold."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Measure = Callable[[Floats, Flags], float]


def auc(scores: Floats, positive: Flags) -> float:
    """Return the chance that a positive scores above a negative; ties count half.

    >>> auc(np.array([0.1, 0.4, 0.4, 0.9]), np.array([False, False, True, True]))
    0.875
    """
    hits, misses = int(positive.sum()), int((~positive).sum())
    if not hits or not misses:
        return float("nan")
    _, where, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[where]
    return float((ranks[positive].sum() - hits * (hits + 1) / 2) / (hits * misses))


def pr_auc(scores: Floats, positive: Flags) -> float:
    """Return the average precision: precision at each threshold, weighted by recall gained.

    >>> round(pr_auc(np.array([0.1, 0.4, 0.6, 0.9]), np.array([False, True, False, True])), 4)
    0.8333
    """
    order = np.argsort(-scores, kind="stable")
    found = np.cumsum(positive[order])
    last = np.append(np.diff(scores[order]) != 0, True)
    precision = (found / np.arange(1, len(order) + 1))[last]
    recall = found[last] / max(1, positive.sum())
    return float((np.diff(recall, prepend=0.0) * precision).sum())


def recall_at(scores: Floats, positive: Flags, rate: float) -> tuple[float, int]:
    """Return the threshold that ``rate`` of the negatives exceed, and the positives above it."""
    threshold = float(np.quantile(scores[~positive], 1 - rate))
    return threshold, int((scores[positive] > threshold).sum())


def best_f1_threshold(scores: Floats, positive: Flags) -> float:
    """Return the score from which on calling a text positive gives the best F1."""
    order = np.argsort(-scores, kind="stable")
    found = np.cumsum(positive[order])
    f1 = 2 * found / (np.arange(1, len(order) + 1) + positive.sum())
    f1[np.append(np.diff(scores[order]) == 0, False)] = 0
    return float(scores[order][f1.argmax()])


def f1_and_balanced_accuracy(said: Flags, positive: Flags) -> tuple[float, float]:
    """Return F1 of the positives and the mean of both kinds' recall."""
    hits, wrong, missed = (
        int((said & positive).sum()),
        int((said & ~positive).sum()),
        int((~said & positive).sum()),
    )
    calm = int((~said & ~positive).sum())
    f1 = 2 * hits / max(1, 2 * hits + wrong + missed)
    return f1, (hits / max(1, hits + missed) + calm / max(1, calm + wrong)) / 2


def bootstrap(
    measure: Measure, scores: Floats, positive: Flags, draws: int = 500
) -> tuple[float, float]:
    """Return the 95 % interval of ``measure`` over rows drawn again; the same rows, the same one.

    References:
        B. Efron, "Bootstrap methods: another look at the jackknife", Annals of Statistics 7 (1979).
    """
    rng = np.random.default_rng(0)
    drawn: Sequence[npt.NDArray[np.intp]] = [
        rng.integers(0, len(scores), len(scores)) for _ in range(draws)
    ]
    found = [measure(scores[rows], positive[rows]) for rows in drawn]
    low, high = np.nanquantile(found, [0.025, 0.975])
    return round(float(low), 4), round(float(high), 4)


def calibration_error(chances: Floats, positive: Flags, bins: int = 10) -> float:
    """Return the mean gap between stated chance and what happened, over bins of equal count.

    References:
        C. Guo et al., "On Calibration of Modern Neural Networks", ICML (2017).
    """
    order = np.argsort(chances, kind="stable")
    parts = np.array_split(order, min(bins, len(order)))
    gaps = [len(p) * abs(float(chances[p].mean()) - float(positive[p].mean())) for p in parts]
    return sum(gaps) / len(chances)
