"""The same question in other words, so that a model learns what is asked and not how."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from random import Random

import yaml

_FRAME_RATE = 0.5
_WORD_RATE = 0.4


@dataclass(frozen=True)
class Frame:
    """A shape of question, and the shapes that may take its place."""

    match: re.Pattern[str]
    into: tuple[str, ...]


@dataclass(frozen=True)
class Rewordings:
    """All frames, the alternatives of each word that has any, and words that tell little."""

    frames: tuple[Frame, ...]
    alternatives: Mapping[str, Sequence[str]]
    word: re.Pattern[str]
    fillers: frozenset[str]


def reworded(text: str, rng: Random) -> str:
    """Return ``text`` framed differently or with some words replaced, often both, at times neither.

    >>> reworded("How can I cancel a transfer?", Random(1))
    'Tell me how to terminate a transfer.'
    """
    known = rewordings()
    if rng.random() < _FRAME_RATE:
        text = _framed(text, known, rng)

    def other(match: re.Match[str]) -> str:
        if rng.random() >= _WORD_RATE:
            return match[0]
        return rng.choice(known.alternatives[match[0]])

    return known.word.sub(other, text)


def telling(words: Sequence[str]) -> list[str]:
    """Return the words that say what is asked; all of them if there are none.

    >>> telling(["How", "do", "I", "cancel", "it?"])
    ['cancel']
    """
    fillers = rewordings().fillers
    return [word for word in words if word.lower().strip("?.,!") not in fillers] or list(words)


@cache
def rewordings() -> Rewordings:
    """Return what the corpus says about rewording."""
    content = yaml.safe_load(files("inference.bank").joinpath("rewording.yaml").read_text())
    frames = tuple(
        Frame(re.compile(entry["match"]), tuple(entry["into"])) for entry in content["frames"]
    )
    alternatives: dict[str, list[str]] = {}
    for group in content["words"]:
        for term in group:
            alternatives.setdefault(term, []).extend(group)
    longest_first = sorted(alternatives, key=len, reverse=True)
    word = re.compile(rf"\b(?:{'|'.join(re.escape(word) for word in longest_first)})\b")
    return Rewordings(frames, alternatives, word, frozenset(content["fillers"].split()))


def _framed(text: str, known: Rewordings, rng: Random) -> str:
    for frame in known.frames:
        if match := frame.match.fullmatch(text):
            parts = [part[:1].lower() + part[1:] for part in match.groups()]
            new = rng.choice(frame.into).format(*parts)
            return new[:1].upper() + new[1:]
    return text
