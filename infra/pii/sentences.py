"""Labelled sentences without end: forms of our own, filled with made-up values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from random import Random

from infra.pii.grammar import lines_of, pieces, value
from infra.pii.values import WORDS
from schemas.verdicts import Span

_LABELS = {
    "person": "PERSON",
    "first": "PERSON",
    "last": "PERSON",
    "title": "TITLE",
    "address": "ADDRESS",
    "street": "ADDRESS",
    "street_name": "ADDRESS",
    "city": "PLACE",
    "country": "PLACE",
    "place": "PLACE",
    "state": "PLACE",
    "region": "PLACE",
    "zip": "ZIP",
    "org": "ORGANIZATION",
    "nationality": "GROUP",
    "age": "AGE",
    "date": "DATE",
    "year": "DATE",
    "month": "DATE",
}


@dataclass(frozen=True)
class Sentence:
    """A text whose personal details are known.

    Args:
        text: What one reads.
        spans: Where the details are, in order.
        form: The number of the form it was made from.
    """

    text: str
    spans: tuple[Span, ...]
    form: int


@cache
def forms() -> tuple[str, ...]:
    """Return the sentence forms."""
    return tuple(lines_of("templates.txt"))


def sentences(seed: int, kept: Callable[[int], bool] = lambda form: True) -> Iterator[Sentence]:
    """Yield sentences without end, the same for the same seed.

    Args:
        seed: What decides on forms and values.
        kept: Whether a form, by its number, is used.
    """
    rng = Random(f"personal details {seed}")
    numbers = [number for number in range(len(forms())) if kept(number)]
    while True:
        rng.shuffle(numbers)
        for number in numbers:
            yield sentence(rng, number)


def sentence(rng: Random, number: int) -> Sentence:
    """Return one sentence of a form; a few are written in small or capital letters only."""
    text = ""
    spans = []
    for piece in pieces(rng, forms()[number], lambda random, slot: value(random, slot, WORDS)):
        label = _LABELS.get(piece.slot, "")
        written = _written(rng, label, piece.text)
        if label:
            spans.append(Span(start=len(text), end=len(text) + len(written), label=label))
        text += written
    chance = rng.random()
    if chance < 0.06 and len(text.lower()) == len(text):
        text = text.lower()
    elif chance < 0.075 and len(text.upper()) == len(text):
        text = text.upper()
    return Sentence(text, tuple(spans), number)


def _written(rng: Random, label: str, text: str) -> str:
    """Return ``text`` as hurried people and old systems write it."""
    chance = rng.random()
    if label == "PERSON" and chance < 0.03:
        return text.lower()
    if label in ("PLACE", "ADDRESS", "ORGANIZATION") and chance < 0.07 and len(text) > 3:
        return text.upper() if len(text.upper()) == len(text) else text
    return text
