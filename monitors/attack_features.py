"""What the learned guard against injection sees of a text: word patterns, and how it is built."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise
from zlib import crc32

import numpy as np
import numpy.typing as npt

from monitors.attack_words import class_of, shape_of

Buckets = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.uint64]

BUCKETS = 1 << 17
WINDOW_TOKENS = 40
STRIDE_TOKENS = 20

_TOKEN = re.compile(r"[a-z]+(?:['\u2019][a-z]+)?|\d+|[^\W\d_a-z]+|[^\w\s]|_+")
_FOLD = np.uint64(29)
_SHIFT = np.uint64(64 - BUCKETS.bit_length() + 1)
_MIX = [np.uint64(number) for number in (
    0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93,
)]  # fmt: skip
_REPEAT_STEPS = (0.3, 0.5, 0.75)
_COUNT_STEPS = (1, 3, 6)
_ASKED = re.compile(r"\b(?:q|question|human|user)\s?:", re.IGNORECASE)
_BITS = re.compile(r"(?:[01]{7,8}\s?){4}")
_HEX = re.compile(r"\b(?:[0-9a-f]{2}[\s:]?){10,}", re.IGNORECASE)
_MORSE = re.compile(r"(?:[.-]{1,5} ){6}")


def tokens(folded: str) -> list[str]:
    """Return the words, numbers and marks of a folded text, in small letters.

    >>> tokens("Don't tell 3 people!")
    ["don't", 'tell', '#', 'people', '!']
    """
    found = []
    for token in _TOKEN.findall(folded.lower()):
        if token[0].isdigit():
            found.append("#")
        elif _is_unspaced(token):
            found += [token[at : at + 2] for at in range(len(token) - 1)]
        else:
            found.append(token)
    return found


def places_of(folded: str) -> list[tuple[int, int]]:
    """Return where each of the :func:`tokens` stands, in characters.

    >>> places_of("Hi, you")
    [(0, 2), (2, 3), (4, 7)]
    """
    found = []
    for match in _TOKEN.finditer(folded.lower()):
        start, end = match.span()
        if _is_unspaced(match[0]):
            found += [(at, at + 2) for at in range(start, end - 1)]
        else:
            found.append((start, end))
    return [(min(a, len(folded) - 1), min(b, len(folded))) for a, b in found]


def windows(count: int) -> list[tuple[int, int]]:
    """Return where the windows over ``count`` tokens begin and end; one over a short text.

    >>> windows(70)
    [(0, 40), (20, 60), (30, 70)]
    """
    if count <= WINDOW_TOKENS:
        return [(0, count)]
    last = count - WINDOW_TOKENS
    starts = [*range(0, last, STRIDE_TOKENS), last]
    return [(start, start + WINDOW_TOKENS) for start in starts]


def word_buckets(texts: Sequence[Sequence[str]], kept: frozenset[str]) -> list[Buckets]:
    """Return the buckets of the patterns that end at each word of each text, shape (words, 11).

    The first three are of words as they are, the next five of what they do: a word stands for its
    class, itself if it is ``kept``, or its shape, so that what a text is about matters less. The
    last three are of words with a class alone, whatever stands between them. Many short texts at
    once take little longer than one.
    """
    words = [word for text in texts for word in text]
    number = np.repeat(np.arange(len(texts)), [len(text) for text in texts])
    plain = np.array([_number(word) for word in words], np.uint64)
    roles = np.array([_number(_role(word, word in kept)) for word in words], np.uint64)
    classed = np.flatnonzero([class_of(word) != "" for word in words])
    found = np.zeros((len(words), 11), np.int64)
    found[:, :8] = _DENSE.mixed([*_behind(plain, number, 2), *_behind(roles, number, 3)]).T
    found[classed, 8:] = _SPARSE.mixed(_behind(roles[classed], number[classed], 2)).T
    ends = np.cumsum([len(text) for text in texts]).tolist()
    return [found[end - len(text) : end] for text, end in zip(texts, ends, strict=True)]


def distinct(groups: Sequence[Buckets]) -> list[Buckets]:
    """Return the different buckets of each group, in ascending order."""
    group = np.repeat(np.arange(len(groups)), [buckets.size for buckets in groups])
    keys = np.concatenate([buckets.ravel() for buckets in groups]) + group * BUCKETS
    different = np.unique(keys)
    starts = np.searchsorted(different, np.arange(len(groups) + 1) * BUCKETS).tolist()
    different %= BUCKETS
    return [different[start:end] for start, end in pairwise(starts)]


def whole_buckets(original: str, words: Sequence[str], signs: Iterable[str]) -> Buckets:
    """Return the buckets of what holds for the text as a whole.

    Args:
        original: The text.
        words: Its tokens.
        signs: The kinds of phrases that were found in it.
    """
    found = [f"sign {sign}" for sign in signs]
    letters = sum(map(str.isalpha, original)) or 1
    found += _steps("capitals", sum(map(str.isupper, original)) / letters, (0.3, 0.7))
    plain = [word for word in words if len(word) > 1]
    if len(plain) >= 12:
        found += _steps("repeats", 1 - len(set(plain)) / len(plain), _REPEAT_STEPS)
        common = max(Counter(plain).values()) / len(plain)
        found += _steps("one word", common, (0.2, 0.4))
    found += _steps("asked", len(_ASKED.findall(original)), _COUNT_STEPS)
    found += _steps("questions", original.count("?"), (4, 6))
    found += _steps("braces", original.count("[") + original.count("<"), _COUNT_STEPS)
    for name, mark in (("bits", _BITS), ("hex", _HEX), ("morse", _MORSE)):
        if mark.search(original):
            found.append(name)
    return np.array([_number(f"whole {name}") % BUCKETS for name in found], np.int64)


def _is_unspaced(token: str) -> bool:
    """Return whether ``token`` is a stretch of a script without spaces, which is read in pairs."""
    return len(token) > 2 and token[0] >= "\u3040"


def _steps(name: str, value: float, steps: Sequence[float]) -> list[str]:
    return [f"{name} {step}" for step in steps if value >= step]


@lru_cache(maxsize=1 << 16)
def _number(word: str) -> int:
    return crc32(word.encode("utf-8", "surrogatepass"))


@lru_cache(maxsize=1 << 16)
def _role(word: str, kept: bool) -> str:
    return class_of(word) or (word if kept else shape_of(word))


class _Patterns:
    """Kinds of patterns that are hashed together.

    Args:
        start: The number of the first kind.
        kinds: Which of the rows that are hashed are each kind's words, the last word first.
    """

    def __init__(self, start: int, *kinds: Sequence[int]) -> None:
        seeds = [(start + kind + 1) * 0x2545F4914F6CDD1D % 2**64 for kind in range(len(kinds))]
        self._seeds = np.array(seeds, np.uint64)[:, None]
        self._steps = []
        for place in range(max(map(len, kinds))):
            longer = [kind for kind, rows in enumerate(kinds) if len(rows) > place]
            self._steps.append(
                (np.array(longer), np.array([kinds[kind][place] for kind in longer]))
            )

    def mixed(self, rows: Sequence[Numbers]) -> Buckets:
        """Return the buckets of each kind, shape (kinds, words), of ``rows`` of as many words."""
        seen = np.array(rows)
        total = np.repeat(self._seeds, seen.shape[1], axis=1)
        for (kinds, words), factor in zip(self._steps, _MIX, strict=False):
            mixed = (total[kinds] ^ seen[words]) * factor
            mixed ^= mixed >> _FOLD
            total[kinds] = mixed
        return (total * _MIX[3] >> _SHIFT).astype(np.int64)


_DENSE = _Patterns(0, (0,), (0, 1), (0, 1, 2), (3,), (3, 4), (3, 4, 5), (3, 5), (3, 6))
_SPARSE = _Patterns(8, (0, 1), (0, 2), (0, 1, 2))


def _behind(numbers: Numbers, text: Buckets, places: int) -> list[Numbers]:
    """Return ``numbers``, and what stands up to ``places`` places before each in the same text."""
    rows = [numbers]
    for place in range(1, places + 1):
        row = np.zeros_like(numbers)
        row[place:] = np.where(text[place:] == text[:-place], numbers[:-place], 0)
        rows.append(row)
    return rows
