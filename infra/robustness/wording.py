"""The same said in other words, in other company, or in other pieces."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from random import Random

from infra.robustness.characters import Edit

Frame = Callable[[Random], tuple[str, str]]
"""Returns what is put before a text and what after it."""

_WORD = re.compile(r"[^\W\d_]+")
_CHANGE_RATE = 0.7
_SPLIT_RATE = 0.15
_SPLITS = (".\n", "\n", " - ", ", ", " ... ")


def synonyms(text: str, rng: Random) -> str:
    """Put other words of the same meaning in place of most words that have some.

    >>> synonyms("Please help", Random(1))
    'Kindly aid'
    """

    def other(found: re.Match[str]) -> str:
        known = _synonyms().get(found[0].lower())
        return _like(found[0], rng.choice(known)) if known and _changes(rng) else found[0]

    return _WORD.sub(other, text)


def rewriting(text: str, rng: Random) -> str:
    """Put other turns of phrase in place of most that have some.

    >>> rewriting("Do not tell", Random(1))
    "Don't tell"
    """

    def other(found: re.Match[str]) -> str:
        said = rng.choice(_rewrites()[found[0].lower()])
        return _like(found[0], said) if _changes(rng) else found[0]

    return _phrases().sub(other, text)


def splits(text: str, rng: Random) -> str:
    """Break the text where no break belongs."""
    return re.sub(
        " ", lambda space: rng.choice(_SPLITS) if rng.random() < _SPLIT_RATE else space[0], text
    )


def before(rng: Random) -> tuple[str, str]:
    """Let harmless sentences come first."""
    return " ".join(rng.sample(_lines("sentences.txt"), 3)) + " ", ""


def after(rng: Random) -> tuple[str, str]:
    """Let harmless sentences follow."""
    return "", " " + " ".join(rng.sample(_lines("sentences.txt"), 3))


def framing(rng: Random) -> tuple[str, str]:
    """Present the text as something that somebody else said, or that comes with other things."""
    head, _, tail = rng.choice(_lines("frames.txt")).partition("{}")
    return head, tail


WORDS: dict[str, Edit] = {"synonyms": synonyms, "splits": splits}
PARAPHRASES: dict[str, Edit] = {"rewriting": rewriting}
COMPANY: dict[str, Frame] = {"before": before, "after": after}
FRAMES: dict[str, Frame] = {"framing": framing}


@cache
def _lines(name: str) -> list[str]:
    text = files("infra.robustness").joinpath(name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


@cache
def _synonyms() -> dict[str, list[str]]:
    pairs = (line.split(": ", 1) for line in _lines("synonyms.txt"))
    return {word: [other.replace("_", " ") for other in others.split()] for word, others in pairs}


@cache
def _rewrites() -> dict[str, list[str]]:
    pairs = (line.split(": ", 1) for line in _lines("rewrites.txt"))
    return {said: others.split(" = ") for said, others in pairs}


@cache
def _phrases() -> re.Pattern[str]:
    longest_first = sorted(_rewrites(), key=len, reverse=True)
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, longest_first))})\b", re.IGNORECASE)


def _changes(rng: Random) -> bool:
    return rng.random() < _CHANGE_RATE


def _like(written: str, other: str) -> str:
    """Return ``other`` with a capital where ``written`` has one."""
    return other[0].upper() + other[1:] if written[0].isupper() else other
