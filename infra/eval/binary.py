"""What is said of any guard that tells two kinds of texts apart by a chance."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt

from infra.eval.intervals import wilson
from infra.eval.ranking import (
    Flags,
    auc,
    bootstrap,
    calibration_error,
    f1_and_balanced_accuracy,
    pr_auc,
)

Floats = npt.NDArray[np.float64]

BANDS = ((0, 64), (64, 256), (256, 1024), (1024, None))
"""Bounds of the length bands, in characters."""
_RUNS = 60


def figures(chances: Floats, positive: Flags, threshold: float) -> dict[str, Any]:
    """Return how well ``chances`` tell the positives, and how well they are probabilities.

    Args:
        chances: Stated probabilities, shape (rows,).
        positive: What was the case, shape (rows,).
        threshold: From which on a row is called positive; F1 and balanced accuracy are at it.
    """

    def f1(scores: Floats, truth: Flags) -> float:
        return f1_and_balanced_accuracy(scores >= threshold, truth)[0]

    def balanced(scores: Floats, truth: Flags) -> float:
        return f1_and_balanced_accuracy(scores >= threshold, truth)[1]

    measures = {"auc": auc, "pr_auc": pr_auc, "f1": f1, "balanced_accuracy": balanced}
    bins = np.array_split(np.argsort(chances, kind="stable"), 5)
    return {
        "n": len(chances),
        "n_positive": int(positive.sum()),
        "threshold": round(threshold, 4),
        **{name: round(measure(chances, positive), 4) for name, measure in measures.items()},
        "ci95": {name: bootstrap(m, chances, positive) for name, m in measures.items()},
        "calibration": {
            "expected_error": round(calibration_error(chances, positive), 4),
            "brier": round(float(np.mean((chances - positive) ** 2)), 4),
            "said_and_was": [
                [round(float(chances[part].mean()), 3), round(float(positive[part].mean()), 3)]
                for part in bins
                if len(part)
            ],
        },
    }


def rates_by(
    kinds: Sequence[str], said: Flags, counted: Flags
) -> dict[str, dict[str, float | int | tuple[float, float] | None]]:
    """Return, for each kind, which share of its ``counted`` rows is ``said`` to be positive."""
    tally: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for kind, is_said, is_counted in zip(kinds, said.tolist(), counted.tolist(), strict=True):
        if is_counted:
            tally[kind][0] += is_said
            tally[kind][1] += 1
    return {kind: rate(hits, n) for kind, (hits, n) in sorted(tally.items())}


def rate(hits: int, n: int) -> dict[str, float | int | tuple[float, float] | None]:
    """Return a rate with its number and Wilson interval."""
    return {"rate": round(hits / n, 4) if n else float("nan"), "n": n, "ci95": wilson(hits, n)}


def by_length(lengths: Sequence[int], chances: Floats, positive: Flags) -> dict[str, Any]:
    """Return the AUC in each band of lengths in which there are both kinds."""
    found: dict[str, Any] = {}
    sizes = np.array(lengths)
    for low, high in BANDS:
        inside = (sizes >= low) & (sizes < (high if high is not None else np.inf))
        if positive[inside].any() and (~positive[inside]).any():
            found[f"{low}-{high if high is not None else ''}"] = {
                "n": int(inside.sum()),
                "auc": round(auc(chances[inside], positive[inside]), 4),
                "ci95": bootstrap(auc, chances[inside], positive[inside]),
            }
    return found


def latencies_ms(read: Callable[[Sequence[int]], object], rows: int) -> dict[str, Any]:
    """Return milliseconds per call of ``read`` with one row's number, and with 32 of them."""
    found: dict[str, Any] = {}
    rng = np.random.default_rng(0)
    for size in (1, 32):
        spent_ms = []
        for _ in range(_RUNS if size == 1 else _RUNS // 6):
            chosen = rng.integers(0, rows, size).tolist()
            began_s = perf_counter()
            read(chosen)
            spent_ms.append((perf_counter() - began_s) * 1000)
        p50, p99 = np.quantile(spent_ms, [0.5, 0.99])
        found[f"batch_{size}"] = {"p50": round(float(p50), 3), "p99": round(float(p99), 3)}
    return found
