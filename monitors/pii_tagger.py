"""A linear model over words and their neighbours that says which words are personal details."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from monitors.pii_words import TOKEN, features, gazetteer
from schemas.verdicts import Span

Floats = npt.NDArray[np.float32]

LABELS = (
    "PERSON",
    "ADDRESS",
    "PLACE",
    "ORGANIZATION",
    "GROUP",
    "TITLE",
    "AGE",
    "DATE",
    "ZIP",
)
TAGS = ("O", *(f"{part}-{label}" for label in LABELS for part in "BI"))
_FILE = "pii_tagger.safetensors"
_CHUNK = 400
_LAP = 20
_LONG_NUMBER = re.compile(r"\d(?:[ .-]?\d){10}")
"""A card's or an account's; no house has it."""


@dataclass(frozen=True)
class Tagger:
    """A conditional random field of first order whose features are hashed.

    Args:
        weights: Shape (buckets, tags).
        steps: Score of each tag after each other, shape (tags, tags); impossible ones are -1e4.

    References:
        J. Lafferty, A. McCallum, F. Pereira, "Conditional random fields", ICML 2001.
    """

    weights: Floats
    steps: Floats

    def spans(self, text: str) -> list[Span]:
        """Return where ``text`` holds personal details, in order."""
        words = list(TOKEN.finditer(text))
        tags = self.tags([word[0] for word in words])
        found: list[tuple[int, int, str]] = []
        for word, tag in zip(words, tags, strict=True):
            if tag == 0:
                continue
            name = TAGS[tag]
            if name[0] == "B" or not found:
                found.append((word.start(), word.end(), name[2:]))
            else:
                found[-1] = (found[-1][0], word.end(), name[2:])
        return [
            Span(start=start, end=end, label=label)
            for start, end, label in found
            if not _is_no(label, text[start:end])
        ]

    def tags(self, words: Sequence[str]) -> list[int]:
        """Return the number of each word's tag, as places in :data:`TAGS`.

        Long texts are read in stretches that overlap, in time proportional to the text.
        """
        tags: list[int] = []
        for start in range(0, len(words), _CHUNK):
            first = max(0, start - _LAP)
            part = list(words[first : start + _CHUNK + _LAP])
            read = self.best(self.scores(part))
            tags += read[start - first : start - first + _CHUNK]
        for place, tag in enumerate(tags):
            if (
                tag
                and TAGS[tag][0] == "I"
                and (place == 0 or tags[place - 1] not in (tag, tag - 1))
            ):
                tags[place] = tag - 1
        return tags

    def scores(self, words: list[str]) -> Floats:
        """Return the score of each tag for each word by itself."""
        total: Floats = self.weights[features(words)].sum(axis=1, dtype=np.float32)
        return total

    def best(self, scores: Floats) -> list[int]:
        """Return the tags whose scores, shape (words, tags), and steps make the largest sum.

        By the algorithm of Viterbi.
        """
        if len(scores) == 0:
            return []
        steps = self.steps.T
        best = scores[0].copy()
        best[2::2] -= 1e4  # nothing begins with the inside of something
        came = np.empty((len(scores), len(best)), np.int64)
        every = np.arange(len(best))
        for place in range(1, len(scores)):
            ways = steps + best
            came[place] = ways.argmax(axis=1)
            best = ways[every, came[place]] + scores[place]
        tags = [int(best.argmax())]
        for place in range(len(scores) - 1, 0, -1):
            tags.append(int(came[place, tags[-1]]))
        return tags[::-1]


def _is_no(label: str, text: str) -> bool:
    """Return whether ``text`` cannot be a ``label``: a name of common words, a street of digits."""
    words = TOKEN.findall(text)
    if label == "ADDRESS":
        named = any(word.isalpha() and len(word) > 1 for word in words)
        return not named or _LONG_NUMBER.search(text) is not None
    known = gazetteer()
    plain = {"words", "brand"}
    return label == "PERSON" and all(known.get(word.lower(), {""}) <= plain for word in words)


def tags_of(text: str, spans: Sequence[Span]) -> tuple[list[str], list[int]]:
    """Return the words of ``text`` and the number of each one's tag, given its details."""
    words, tags, last = [], [], -1
    for match in TOKEN.finditer(text):
        words.append(match[0])
        around = [n for n, s in enumerate(spans) if s.start <= match.start() < s.end]
        inside = around[0] if around else -1
        tags.append(1 + 2 * LABELS.index(spans[inside].label) + (inside == last) if around else 0)
        last = inside
    return words, tags


def save_tagger(model: Tagger, folder: Path) -> None:
    """Write ``model`` into ``folder``; weights take half precision there."""
    from safetensors.numpy import save_file

    tensors: dict[str, npt.NDArray[Any]] = {
        "weights": model.weights.astype(np.float16),
        "steps": model.steps,
    }
    save_file(tensors, folder / _FILE, metadata={"tags": json.dumps(TAGS)})


def load_tagger(folder: Path) -> Tagger:
    """Return the model that :func:`save_tagger` wrote into ``folder``."""
    from safetensors import safe_open

    with safe_open(folder / _FILE, framework="numpy") as file:
        if tuple(json.loads(file.metadata()["tags"])) != TAGS:
            raise ValueError(f"{folder / _FILE} was made for other tags")
        weights = file.get_tensor("weights").astype(np.float32)
        return Tagger(weights, file.get_tensor("steps"))


@cache
def shipped_tagger() -> Tagger:
    """Return the model that ships with Tidegate."""
    return load_tagger(Path(str(files("monitors").joinpath("weights", "tidegate-pii"))))
