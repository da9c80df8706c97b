"""How far a text lies from examples of what is allowed, by its embedding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

FEWEST = 8
"""With fewer examples nothing can be said about how far allowed texts lie from each other."""
_FOLDS = 5
NEIGHBOURS = 10
_SHRINK = 0.1
LENGTH = 12.0
_EPOCHS = 15
_STEPS = 300
_BATCH = 128
_RATE = 5e-3
_DECAY = 1e-4


@dataclass(frozen=True)
class _Fit:
    """Examples, and a linear classifier of their topics over whitened vectors (if several)."""

    examples: Floats
    mean: Floats
    whitening: Floats
    weights: Floats
    bias: Floats

    def parts(self, vectors: Floats) -> tuple[Floats, Floats]:
        """Return each vector's distance to the nearest examples and its free energy."""
        near = min(NEIGHBOURS, len(self.examples))
        likeness = vectors @ self.examples.T
        best = np.partition(likeness, likeness.shape[1] - near, axis=1)[:, -near:]
        if not self.bias.size:
            return 1 - best.mean(axis=1), np.zeros(len(vectors), np.float32)
        logits = _whiten(vectors, self.mean, self.whitening) @ self.weights + self.bias
        top = logits.max(axis=1)
        energy = -top - np.log(np.exp(logits - top[:, None]).sum(axis=1))
        return 1 - best.mean(axis=1), energy


@dataclass(frozen=True)
class ScopeModel:
    """What is allowed, as examples show it.

    Two views are added, each in units of its spread over examples that it was not fitted on: the
    mean cosine distance to the ten nearest examples, and the free energy of a classifier of the
    examples' topics over vectors whitened by the spread within a topic. One sees a text unlike
    all examples, the other a text like several topics but of none.

    Args:
        fit: What the views are computed from.
        scales: The spread of each view.
        known: The distance of each example from the others, ascending.

    References:
        W. Liu et al., "Energy-based Out-of-distribution Detection", NeurIPS (2020); Y. Sun et al.,
        "Out-of-Distribution Detection with Deep Nearest Neighbors", ICML (2022).
    """

    fit: _Fit
    scales: tuple[float, float]
    known: Floats

    def distance(self, vectors: Floats) -> Floats:
        """Return how far each vector lies from the examples; any number, larger is farther."""
        near, energy = self.fit.parts(vectors)
        return near / np.float32(self.scales[0]) + energy / np.float32(self.scales[1])

    def score(self, vectors: Floats) -> Floats:
        """Return the share of examples that lie nearer to the others than each vector does.

        A threshold of 0.95 thus flags one in twenty texts like the examples.
        """
        ranks = np.searchsorted(self.known, self.distance(vectors), side="left")
        return (ranks / len(self.known)).astype(np.float32)


def fit_scope(vectors: Floats, topics: Sequence[str], seed: int = 0) -> ScopeModel:
    """Return the scope that examples show; the same examples give the same scope.

    Takes milliseconds for hundreds of examples, about a quarter of a minute for 15,000.

    Args:
        vectors: One unit vector per example.
        topics: The topic of each example; one topic for all is allowed, more see more.
        seed: Decides the order in which the classifier meets the examples.

    Raises:
        ValueError: If there are fewer than 8 examples.
    """
    if len(vectors) < FEWEST:
        raise ValueError(f"{len(vectors)} examples; at least {FEWEST} are needed")
    names = sorted(set(topics))
    labels = np.array([names.index(topic) for topic in topics])
    rng = np.random.default_rng(seed)
    fold = rng.permutation(len(vectors)) % _FOLDS
    near, energy = np.zeros(len(vectors), np.float32), np.zeros(len(vectors), np.float32)
    for out in range(_FOLDS):
        held = fold == out
        part = _fit(vectors[~held], labels[~held], len(names), rng)
        near[held], energy[held] = part.parts(vectors[held])
    scales = (float(near.std()) or 1.0, float(energy.std()) or 1.0)
    known = np.sort(near / np.float32(scales[0]) + energy / np.float32(scales[1]))
    return ScopeModel(_fit(vectors, labels, len(names), rng), scales, known)


def _fit(
    vectors: Floats, labels: npt.NDArray[np.int_], topics: int, rng: np.random.Generator
) -> _Fit:
    width = vectors.shape[1]
    mean: Floats = vectors.mean(axis=0)
    if topics < 2:
        empty = np.zeros((width, 0), np.float32)
        return _Fit(vectors, mean, np.eye(width, dtype=np.float32), empty, empty[0])
    spread = vectors.copy()
    for topic in np.unique(labels):
        spread[labels == topic] -= vectors[labels == topic].mean(axis=0, keepdims=True)
    covariance = spread.T @ spread / len(vectors)
    shrink = (_SHRINK + width / len(vectors)) * np.trace(covariance) / width + 1e-9
    values, axes = np.linalg.eigh(covariance + shrink * np.eye(width))
    whitening = (axes / np.sqrt(values)).astype(np.float32)
    weights, bias = _classifier(_whiten(vectors, mean, whitening), labels, topics, rng)
    return _Fit(vectors, mean, whitening, weights, bias)


def _whiten(vectors: Floats, mean: Floats, whitening: Floats) -> Floats:
    """Return vectors of one length whose spread within a topic is alike in all directions."""
    rows = (vectors - mean) @ whitening
    norms = np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)
    alike: Floats = (rows * (LENGTH / norms)).astype(np.float32)
    return alike


def _classifier(
    rows: Floats, labels: npt.NDArray[np.int_], topics: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Return weights and bias of a softmax regression, stopped early; Adam, falling rate."""
    wide = np.hstack([rows, np.ones((len(rows), 1), np.float32)])
    table = np.zeros((wide.shape[1], topics), np.float32)
    first, second = np.zeros_like(table), np.zeros_like(table)
    steps = max(_STEPS, _EPOCHS * len(rows) // _BATCH)
    order = rng.permutation(len(rows))
    at = 0
    for step in range(steps):
        if at >= len(order):
            order, at = rng.permutation(len(rows)), 0
        batch = order[at : at + _BATCH]
        at += _BATCH
        logits = wide[batch] @ table
        chances = np.exp(logits - logits.max(axis=1, keepdims=True))
        chances /= chances.sum(axis=1, keepdims=True)
        chances[np.arange(len(batch)), labels[batch]] -= 1
        slope = wide[batch].T @ chances / np.float32(len(batch))
        first = 0.9 * first + 0.1 * slope
        second = 0.999 * second + 0.001 * slope**2
        rate = _RATE * 0.5 * (1 + np.cos(np.pi * step / steps))
        ahead = first / (1 - 0.9 ** (step + 1))
        size = np.sqrt(second / (1 - 0.999 ** (step + 1))) + 1e-8
        table -= np.float32(rate) * (ahead / size + np.float32(_DECAY) * table)
    return table[:-1], table[-1]
