"""Forms with slots and choices, filled at random: of sentences and of the values in them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from random import Random

_CHOICE = re.compile(r"\(([^()]*\|[^()]*)\)")
_SLOT = re.compile(r"\{(\w+)\}")
_LETTERS = "ABCDEFGHJKLMNPRSTUVWXY"


@dataclass(frozen=True)
class Piece:
    """A part of a filled form.

    Args:
        text: What one reads.
        slot: The slot that it fills; empty for what the form says itself.
    """

    text: str
    slot: str = ""


def lines_of(name: str) -> Iterator[str]:
    r"""Yield the lines of a file of forms, comments left out and ``\n`` made a new line."""
    text = files("infra.pii").joinpath(name).read_text(encoding="utf-8")
    for line in text.splitlines():
        if line and not line.startswith("# "):
            yield line.replace("\\n", "\n")


@cache
def value_forms() -> dict[str, tuple[tuple[str, ...], tuple[int, ...]]]:
    """Return the forms of each value with how likely each is."""
    found: dict[str, tuple[list[str], list[int]]] = {}
    name = ""
    for line in lines_of("values.txt"):
        weighted = re.match(r"(\d+)x (.*)", line, re.DOTALL)
        if weighted is None:
            name = line
            found[name] = ([], [])
        else:
            found[name][0].append(weighted[2])
            found[name][1].append(int(weighted[1]))
    return {name: (tuple(forms), tuple(weights)) for name, (forms, weights) in found.items()}


def pieces(rng: Random, form: str, fill: Callable[[Random, str], str]) -> Iterator[Piece]:
    """Yield the parts of ``form``, one of each choice taken and each slot filled by ``fill``.

    >>> texts = {"city": "Leeds"}
    >>> [piece.text for piece in pieces(Random(0), "(to|to) {city}!", lambda _, slot: texts[slot])]
    ['to ', 'Leeds', '!']
    """
    while _CHOICE.search(form):
        form = _CHOICE.sub(lambda match: rng.choice(match[1].split("|")), form)
    end = 0
    for slot in _SLOT.finditer(form):
        if slot.start() > end:
            yield Piece(form[end : slot.start()])
        yield Piece(fill(rng, slot[1]), slot[1])
        end = slot.end()
    if end < len(form):
        yield Piece(form[end:])


def value(rng: Random, name: str, words: dict[str, Callable[[Random], str]]) -> str:
    """Return a value of the kind ``name``; the innermost slots are filled from ``words``."""
    if name in words:
        return words[name](rng)
    forms, weights = value_forms()[name]
    form = rng.choices(forms, weights)[0]
    inner = pieces(rng, form, lambda random, slot: value(random, slot, words))
    return "".join(p.text if p.slot else _signs(rng, p.text) for p in inner)


def _signs(rng: Random, text: str) -> str:
    """Return ``text`` with a digit for each ``#`` before a digit or alone, a letter for each ``~``.

    A ``#`` before a space stays, as in apartment numbers.
    """
    text = re.sub(r"#(?! )|(?<=#)#", lambda _: rng.choice("0123456789"), text)
    return re.sub("~", lambda _: rng.choice(_LETTERS), text)
