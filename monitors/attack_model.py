"""The model that tells attacks on a model from other texts, whatever they are about."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors import safe_open
from safetensors.numpy import save_file

from monitors.attack_features import (
    Buckets,
    distinct,
    places_of,
    tokens,
    whole_buckets,
    windows,
    word_buckets,
)
from monitors.text import Text

Floats = npt.NDArray[np.float32]

FEWEST = 8
"""A text of fewer patterns is read as if it had so many, or one word would decide."""
_STYLE = (0, 3, 4)
"""The patterns that are single words and pairs."""
_FILE = "injection.safetensors"


@dataclass(frozen=True)
class Reading:
    """A text in buckets.

    Args:
        windows: The patterns of each window.
        style: The words and pairs of the whole text.
        whole: What holds for it as a whole.
        bounds: Between which tokens each window lies.
    """

    windows: list[Buckets]
    style: Buckets
    whole: Buckets
    bounds: list[tuple[int, int]]

    def place_of(self, window: int, folded: str) -> tuple[int, int] | None:
        """Return where a window lies in the folded text, in characters; None if it is empty."""
        places = places_of(folded)[slice(*self.bounds[window])]
        return (places[0][0], places[-1][1]) if places else None


@dataclass(frozen=True)
class Words:
    """The words of a text, with the patterns that they make.

    Args:
        tokens: The words.
        windows: The patterns of each window.
        style: The words and pairs of the whole text.
        bounds: Between which tokens each window lies.
    """

    tokens: list[str]
    windows: list[Buckets]
    style: Buckets
    bounds: list[tuple[int, int]]


def words_of(texts: Sequence[Text], kept: frozenset[str]) -> list[Words]:
    """Return the words of each text; of many short ones in little more time than of one.

    Args:
        texts: What to read.
        kept: The words that count as themselves.
    """
    read = [tokens(text.folded.text) for text in texts]
    places = word_buckets(read, kept)
    bounds = [windows(len(words)) for words in read]
    parts = [
        rows[start:end] for rows, each in zip(places, bounds, strict=True) for start, end in each
    ]
    patterns = iter(distinct(parts))
    styles = distinct([rows[:, _STYLE] for rows in places])
    return [
        Words(words, [next(patterns) for _ in each], style, each)
        for words, each, style in zip(read, bounds, styles, strict=True)
    ]


def reading(text: Text, words: Words, signs: Iterable[str]) -> Reading:
    """Return ``text`` in buckets.

    Args:
        text: What to read.
        words: Its words.
        signs: The kinds of phrases that were found in it.
    """
    whole = whole_buckets(text.original, words.tokens, signs)
    return Reading(words.windows, words.style, whole, words.bounds)


@dataclass(frozen=True)
class AttackModel:
    """The worst window of a text, its style, and what holds for it as a whole, added up.

    Because a text is as suspect as its worst window, an order hidden in a long document weighs as
    much as one that stands alone, and length by itself says nothing.

    Args:
        kept: The words that count as themselves.
        patterns: What a pattern adds to its window, shape (131072,).
        style: What a word or pair of the whole text adds, shape (131072,).
        bias: The score of nothing.
        scale: Slope and offset that make log odds of a score.

    References:
        O. Maron and T. Lozano-Perez, "A framework for multiple-instance learning", NIPS (1997).
    """

    kept: frozenset[str]
    patterns: Floats
    style: Floats
    bias: float
    scale: tuple[float, float] = (1.0, 0.0)

    def score(self, read: Reading) -> float:
        """Return how much of an attack a text is, on no particular scale."""
        worst = max(_mean(self.patterns, window) for window in read.windows)
        whole = float(self.patterns.take(read.whole).sum())
        return worst + _mean(self.style, read.style) + whole + self.bias

    def worst(self, read: Reading) -> int:
        """Return which window weighs most."""
        return int(np.argmax([_mean(self.patterns, window) for window in read.windows]))

    def chance(self, read: Reading) -> float:
        """Return the calibrated score, 0 to 1; one half is where the guard speaks."""
        slope, offset = self.scale
        return 0.5 + 0.5 * math.tanh(0.5 * (slope * self.score(read) + offset))

    @property
    def version(self) -> str:
        """Return what changes whenever a text may get another score."""
        digest = sha256(json.dumps([sorted(self.kept), self.bias, *self.scale]).encode())
        digest.update(self.patterns.astype(np.float16).tobytes())
        digest.update(self.style.astype(np.float16).tobytes())
        return digest.hexdigest()[:12]


def save_attack_model(model: AttackModel, folder: Path) -> None:
    """Write ``model`` into ``folder``; weights take half precision there."""
    save_file(
        {
            "patterns": model.patterns.astype(np.float16),
            "style": model.style.astype(np.float16),
            "line": np.array([model.bias, *model.scale], np.float32),
        },
        folder / _FILE,
        metadata={"kept": json.dumps(sorted(model.kept))},
    )


def load_attack_model(folder: Path) -> AttackModel:
    """Return the model that :func:`save_attack_model` wrote into ``folder``."""
    with safe_open(folder / _FILE, framework="numpy") as file:
        bias, slope, offset = file.get_tensor("line").tolist()
        return AttackModel(
            kept=frozenset(json.loads(file.metadata()["kept"])),
            patterns=file.get_tensor("patterns").astype(np.float32),
            style=file.get_tensor("style").astype(np.float32),
            bias=bias,
            scale=(slope, offset),
        )


@cache
def shipped_attack_model() -> AttackModel:
    """Return the model that ships with Tidegate."""
    return load_attack_model(Path(str(files("monitors").joinpath("weights", "tidegate-injection"))))


def _mean(table: Floats, buckets: Buckets) -> float:
    return float(table.take(buckets).sum()) / math.sqrt(max(FEWEST, len(buckets)))
