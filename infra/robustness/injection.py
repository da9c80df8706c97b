"""The guard against injection, attacked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from infra.attacks import held_documents, held_instructions
from infra.attacks.given import given
from infra.eval.split import half
from infra.robustness.features import Surface, surface
from infra.robustness.sample import Sample, whole
from infra.robustness.target import Part
from monitors.attack_model import (
    FEWEST,
    AttackModel,
    Reading,
    reading,
    shipped_attack_model,
    words_of,
)
from monitors.injection import Injection, told
from monitors.patterns import Pack
from monitors.text import Text


class InjectionTarget:
    """Attacks on a model, alone or in documents that it is given to read.

    Features are the patterns, the style and the signs of the whole that the text has.
    """

    guard = Injection.name
    threshold = Injection.threshold
    epsilons: tuple[float, ...] = (0.1, 0.3)

    def __init__(self, data: Path | None, part: Part) -> None:
        self.samples = [whole(text) for text in _attacks(data, part)]
        self._guard = Injection()
        self._pack = Pack((self._guard,))
        self._model = shipped_attack_model()
        self.version = f"{Injection.version}-{self._model.version}"

    def scores(self, samples: Sequence[Sample]) -> list[float]:
        """Return how likely each text is an attack."""
        return [scan.score for scan in self._guard.scan([sample.text for sample in samples])]

    def surface(self, sample: Sample) -> Surface:
        """Return the shares in which the text's features count."""
        text = Text(sample.text)
        signs, _ = told(text, self._pack.hits(text).get(0, ()))
        read = reading(text, words_of([text], self._model.kept)[0], signs)
        odds = _Odds(self._model, read)
        start = np.ones(odds.numbers, np.float32)
        return surface(start, odds, np.zeros_like(start), "inf")


class _Odds:
    """What the model makes of a text whose features count in shares.

    Args:
        model: The model.
        read: The text.

    Attributes:
        numbers: How many features the text has.
    """

    def __init__(self, model: AttackModel, read: Reading) -> None:
        self._slope, self._offset = model.scale
        self._bias = model.bias
        patterns = np.unique(np.concatenate(read.windows))
        self._windows = [torch.from_numpy(np.searchsorted(patterns, w)) for w in read.windows]
        self._ends = np.cumsum([len(patterns), len(read.style), len(read.whole)])
        self._patterns = torch.from_numpy(model.patterns[patterns])
        self._style = torch.from_numpy(model.style[read.style]) / _length(len(read.style))
        self._whole = torch.from_numpy(model.patterns[read.whole])
        self.numbers = int(self._ends[-1])

    def __call__(self, shares: torch.Tensor) -> torch.Tensor:
        """Return the log odds of an attack, of shares of shape (rows, numbers)."""
        first, second, last = self._ends
        each = shares[:, :first] * self._patterns
        sums = [each[:, places].sum(dim=1) / _length(len(places)) for places in self._windows]
        score = torch.stack(sums).amax(dim=0) + self._bias
        score = score + shares[:, first:second] @ self._style
        score = score + shares[:, second:last] @ self._whole
        return self._slope * score + self._offset


def _length(features: int) -> float:
    return math.sqrt(max(FEWEST, features))


def _attacks(data: Path | None, part: Part) -> list[str]:
    if data is not None:
        return [row.text for row in given([data], (), part) if row.attack]
    held = (*held_documents(), *held_instructions())
    return [one.text for one in held if one.attack and part in ("all", half(one.text))]
