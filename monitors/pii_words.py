"""What a word looks like to the tagger of personal details: hashed traits, cached by word."""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from importlib.resources import files
from zlib import crc32

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint32]

TOKEN = re.compile(r"[^\W_]+|\n|[^\w\s]|_")
BUCKETS = 1 << 16
AROUND = 3
"""How many words to the left and to the right of a word are looked at."""

_FILES = ("given", "family", "places", "terms", "common")
_EXACT = frozenset({"us_state_code", "country_code"})
_NAMES = {"given": "given", "family": "family", "us_city": "city", "world_city": "city"}
_EDGE = "\0"
_MIX = np.uint32(0x9E3779B1)


@cache
def gazetteer() -> dict[str, frozenset[str]]:
    """Return the kinds of each known word; codes as written, all else in lower case."""
    kinds: dict[str, set[str]] = {}
    for name in _FILES:
        for heading, words in entries(name):
            kind = _NAMES.get(name, _NAMES.get(heading, heading))
            for word in words:
                parts = TOKEN.findall(word.replace("_", " "))
                for part in parts:
                    key = part if heading in _EXACT else part.lower()
                    kinds.setdefault(key, set()).add(kind if len(parts) == 1 else f"{kind}+")
    return {word: frozenset(of) for word, of in kinds.items()}


def entries(name: str) -> list[tuple[str, list[str]]]:
    """Return the lines of a word list as heading and words; underscores stand for spaces."""
    text = files("monitors").joinpath("gazetteers", f"{name}.txt").read_text(encoding="utf-8")
    lines = (line.split(": ", 1) for line in text.splitlines() if not line.startswith("#"))
    return [(line[0], line[1].split()) for line in lines if len(line) == 2]


@lru_cache(maxsize=32_768)
def kinds_of(word: str) -> str:
    """Return the kinds of ``word`` in one string, its shape if it has none.

    >>> kinds_of("Paris"), kinds_of("TX"), kinds_of("Xqzz")
    ('city', 'us_state_code', 'Xx')
    """
    known = gazetteer()
    lower = word.lower()
    kinds = known.get(lower, frozenset()) | known.get(_plain(lower), frozenset())
    if word.isupper():
        kinds |= known.get(word, frozenset())
    return "+".join(sorted(kinds)) or shape_of(word)


def shape_of(word: str) -> str:
    """Return which kinds of characters ``word`` is made of; digits are counted up to six.

    >>> shape_of("McDonald"), shape_of("90210"), shape_of("SW1A"), shape_of(",")
    ('XxXx', 'ddddd', 'XdX', ',')
    """
    if word.isdigit():
        return "d" * min(len(word), 6)
    if len(word) == 1 and not word.isalpha():
        return word
    shape: list[str] = []
    for char in word:
        kind = "X" if char.isupper() else "d" if char.isdigit() else "x"
        if not shape or shape[-1] != kind:
            shape.append(kind)
    return "".join(shape)[:6] + ("1" if len(word) == 1 else "")


def _plain(word: str) -> str:
    if word.isascii():
        return word
    return unicodedata.normalize("NFKD", word).encode("ascii", "ignore").decode()


@lru_cache(maxsize=32_768)
def _traits(word: str) -> tuple[int, ...]:
    """Return the hashed traits of ``word``, those that matter to its neighbours first."""
    lower, kinds, shape = word.lower(), kinds_of(word), shape_of(word)
    known = gazetteer().get(lower, frozenset())
    told = lower if known - {"given", "family", "city", "city+"} or not word.isalnum() else "?"
    traits = [f"w{told}", f"k{kinds}", f"s{shape}", f"3{lower[-3:]}"]
    traits += [f"4{lower[-4:]}", f"2{lower[-2:]}", f"1{lower[-1:]}", f"p{lower[:3]}"]
    traits += [f"q{lower[:2]}", f"n{min(len(word), 12)}", f"wk{told}{shape}", f"ks{kinds}{shape}"]
    traits += [f"g{kind}" for kind in sorted(known)[:4]]
    traits += [""] * (16 - len(traits))
    return tuple(crc32(trait.encode("utf-8", "replace")) if trait else 0 for trait in traits)


def features(words: list[str]) -> npt.NDArray[np.int64]:
    """Return the buckets of each word's features, shape (words, features).

    A word's features are its own traits, some of its neighbours', and some of these together.
    """
    padded = [*[_EDGE] * AROUND, *words, *[_EDGE] * AROUND]
    traits = np.array([_traits(word) for word in padded], np.uint32)

    moved = {
        offset: traits[AROUND + offset : AROUND + offset + len(words)]
        * np.uint32(2 * (offset + 8) + 1)
        + np.uint32(offset + 8)
        for offset in range(-AROUND, AROUND + 1)
    }

    def at(offset: int, slot: int) -> Hashes:
        return moved[offset][:, slot : slot + 1]

    def both(number: int, *parts: Hashes) -> Hashes:
        total = np.full((len(words), 1), number, np.uint32)
        for part in parts:
            total = (total ^ part) * _MIX
            total ^= total >> np.uint32(15)
        return total

    w, k, s = 0, 1, 2
    columns = [
        moved[0],
        *(moved[offset][:, (0, 1, 2, 3, 5)] for offset in (-1, 1)),
        *(moved[offset][:, :3] for offset in (-2, 2)),
        *(moved[offset][:, :2] for offset in (-3, 3)),
        both(1, at(-1, k), at(0, k)),
        both(2, at(0, k), at(1, k)),
        both(3, at(-1, w), at(0, k)),
        both(4, at(0, k), at(1, w)),
        both(5, at(-1, s), at(0, s), at(1, s)),
        both(6, at(-1, k), at(0, k), at(1, k)),
        both(7, at(-2, w), at(-1, w), at(0, s)),
        both(8, at(0, s), at(1, w), at(2, w)),
        both(9, at(-1, w), at(0, s), at(1, w)),
        both(10, at(-2, k), at(-1, k), at(0, s)),
        both(11, at(0, s), at(1, k), at(2, k)),
        both(12, at(-2, s), at(-1, s), at(0, s), at(1, s), at(2, s)),
        both(13, at(-3, w), at(-2, w), at(-1, w)),
    ]
    mixed: Hashes = np.concatenate(columns, axis=1)
    mixed = (mixed ^ (mixed >> np.uint32(16))) * _MIX
    return (mixed >> np.uint32(16)).astype(np.int64)
