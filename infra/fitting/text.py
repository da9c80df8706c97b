"""Fit a text model, its probability and threshold on what it was not fitted on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from infra.eval.ranking import Flags
from infra.fitting.logistic import fit_logistic
from monitors.text_model import BUCKETS, Reading, TextModel, counted, weighed

Floats = npt.NDArray[np.float64]
Threshold = Callable[[Floats, Flags], float]

_FOLDS = 5
_BIAS = 3.0


@dataclass(frozen=True)
class Strengths:
    """How freely words and numbers may be weighed."""

    words: float
    numbers: float


def fit_text_model(
    readings: Sequence[Reading], positive: Flags, strengths: Strengths, threshold: Threshold
) -> tuple[TextModel, Floats]:
    """Return the model and the chance of each reading by models that did not see it.

    Words and numbers are weighed apart, each in units of its spread on held-out examples, and
    added; a logistic curve over held-out sums makes them a probability.

    Args:
        readings: What to fit on.
        positive: What each of them is.
        strengths: How freely.
        threshold: Chooses the guard's threshold, given held-out chances and what is positive.
    """
    labels = positive.astype(np.float64)
    idf = _idf(readings)
    views = (_words(readings, idf), _numbers(readings))
    held = [np.zeros(len(readings)) for _ in views]
    folds = _folds(labels)
    for fold in range(_FOLDS):
        out = folds == fold
        for view, part, strength in zip(
            views, held, (strengths.words, strengths.numbers), strict=True
        ):
            weights = _fit(view[~out], labels[~out], strength)
            part[out] = _wide(view[out]) @ weights
    spreads = [max(1e-9, float(part.std())) for part in held]
    total = held[0] / spreads[0] + held[1] / spreads[1]
    curve = fit_logistic(
        np.stack([total, np.ones(len(total))], axis=1), labels, 100.0, balance=False
    )
    slope, offset = curve.tolist()
    words, numbers = (
        _fit(view, labels, strength) / spread * slope
        for view, spread, strength in zip(
            views, spreads, (strengths.words, strengths.numbers), strict=True
        )
    )
    mean, scale = _standard(readings)
    chances = 1 / (1 + np.exp(-(slope * total + offset)))
    model = TextModel(
        idf=idf,
        table=words[:-1].astype(np.float32),
        dense=(numbers[:-1] / scale).astype(np.float32),
        bias=float((words[-1] + numbers[-1]) * _BIAS + offset - numbers[:-1] @ (mean / scale)),
        threshold=threshold(chances, positive),
    )
    return model, chances


def _folds(labels: Floats) -> npt.NDArray[np.int_]:
    """Return a fold per example, each with its share of positives."""
    folds = np.zeros(len(labels), np.int_)
    rng = np.random.default_rng(0)
    for kind in (0, 1):
        rows = np.flatnonzero(labels == kind)
        folds[rows] = rng.permutation(len(rows)) % _FOLDS
    return folds


def _fit(view: Floats, labels: Floats, strength: float) -> Floats:
    return fit_logistic(_wide(view), labels, strength)


def _wide(view: Floats) -> Floats:
    return np.hstack([view, np.full((len(view), 1), _BIAS)])


def _idf(readings: Sequence[Reading]) -> npt.NDArray[np.float32]:
    seen = np.zeros(BUCKETS)
    for reading in readings:
        seen[list(set().union(*counted(reading.texts)))] += 1
    idf: npt.NDArray[np.float32] = (np.log((1 + len(readings)) / (1 + seen)) + 1).astype(np.float32)
    return idf


def _words(readings: Sequence[Reading], idf: npt.NDArray[np.float32]) -> Floats:
    rows = np.zeros((len(readings), BUCKETS))
    for row, reading in zip(rows, readings, strict=True):
        buckets, values = weighed(reading.texts, idf)
        np.add.at(row, buckets, values)
    return rows


def _standard(readings: Sequence[Reading]) -> tuple[Floats, Floats]:
    rows = np.stack([reading.numbers for reading in readings]).astype(np.float64)
    return rows.mean(axis=0), np.maximum(rows.std(axis=0), 1e-2)


def _numbers(readings: Sequence[Reading]) -> Floats:
    mean, scale = _standard(readings)
    rows: Floats = (np.stack([reading.numbers for reading in readings]) - mean) / scale
    return rows
