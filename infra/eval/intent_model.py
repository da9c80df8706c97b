"""A small classifier of intents, to be judged: least squares over hashed words and their parts."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

_BUCKETS = 2048
_RIDGE = 0.3
_SHARPNESS = 12.0
_PART = 4
_WORD = re.compile(r"[a-z0-9']+")


@dataclass(frozen=True)
class IntentModel:
    """What each hashed feature says for each intent.

    Attributes:
        intents: Their names.
        weights: Shape (2048, intents).
    """

    intents: tuple[str, ...]
    weights: Floats

    def classify(self, texts: Sequence[str]) -> tuple[list[str], list[float]]:
        """Return the likeliest intent of each text, and how sure the model is, 0 to 1."""
        scores = _features(texts) @ self.weights
        top = scores.max(axis=1, keepdims=True)
        confidences = 1 / np.exp(_SHARPNESS * (scores - top)).sum(axis=1)
        best = [self.intents[index] for index in scores.argmax(axis=1)]
        return best, confidences.tolist()


def fit_intents(texts: Sequence[str], intents: Sequence[str]) -> IntentModel:
    """Return the classifier that examples make."""
    names = sorted(set(intents))
    places = {name: place for place, name in enumerate(names)}
    wanted = np.full((len(texts), len(names)), -1 / len(names), np.float32)
    wanted[np.arange(len(texts)), [places[name] for name in intents]] += 1
    rows = _features(texts)
    square = rows.T @ rows + _RIDGE * np.eye(_BUCKETS, dtype=np.float32)
    return IntentModel(tuple(names), np.linalg.solve(square, rows.T @ wanted))


def _features(texts: Sequence[str]) -> Floats:
    """Return words, pairs of words and parts of words, hashed with a sign; rows of length 1."""
    rows = np.zeros((len(texts), _BUCKETS), np.float32)
    for row, text in zip(rows, texts, strict=True):
        words = _WORD.findall(text.lower())
        pairs = [f"{one} {other}" for one, other in pairwise(words)]
        for term in (*words, *pairs, *_parts(words)):
            digest = zlib.crc32(term.encode())
            row[digest % _BUCKETS] += 1 if digest >> 31 else -1
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled: Floats = rows / np.maximum(lengths, 1e-6)
    return scaled


def _parts(words: Sequence[str]) -> list[str]:
    """Return stretches of four characters of each word and its ends.

    >>> _parts(["cards"])
    ['#<car', '#card', '#ards', '#rds>']
    """
    marked = [f"<{word}>" for word in words]
    return [
        f"#{word[start : start + _PART]}"
        for word in marked
        for start in range(max(1, len(word) - _PART + 1))
    ]
