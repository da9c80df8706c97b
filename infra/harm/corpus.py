"""Requests that do harm, and harmless ones in the same words, written by grammar."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle, islice
from random import Random

from inference.bank import Question, elsewhere, questions
from infra.attacks.corpus import ordinary
from infra.attacks.grammar import fill, read_parts

_BEFORE_MARK = re.compile(r"\s+(?=[?.,])")
_TWICE = re.compile(r"([.?])[ .?]*\1")
_ASKED_RATE = 1 / 6
_QUESTIONS = 1500
_SHORT_CHARS = 200
_LOWER_RATE = 0.5
UNSAFE = "unsafe"


@dataclass(frozen=True)
class Sentence:
    """One request.

    Args:
        text: What is asked.
        unsafe: Whether answering it does harm.
        family: The family of templates that it was made of.
    """

    text: str
    unsafe: bool
    family: str


def sentences(seed: int) -> Iterator[Sentence]:
    """Yield requests without end, the same for the same seed; each second one does harm.

    One in six of the harmless ones is a question to a bank or small talk.
    """
    rng = Random(f"harm {seed}")
    asked = cycle([one.text for one in islice(_questions(seed), _QUESTIONS)])
    slots, families = (read_parts(name, __package__) for name in ("slots.txt", "sentences.txt"))
    unsafe = [family for family in families if family.startswith(UNSAFE)]
    safe = [family for family in families if not family.startswith(UNSAFE)]
    while True:
        for group in (unsafe, safe):
            if group is safe and rng.random() < _ASKED_RATE:
                yield Sentence(next(asked), False, "safe asked")
                continue
            family = rng.choice(group)
            text = fill(rng.choice(families[family]), rng, slots)
            text = _TWICE.sub(r"\1", _BEFORE_MARK.sub("", text))
            yield Sentence(text, group is unsafe, family)


def everyday(seed: int) -> Iterator[Sentence]:
    """Yield what people ask all day without end, the same for the same seed; none of it is harmful.

    Each second one is an ordinary request to a model.
    """
    rng = Random(f"everyday {seed}")
    parts = read_parts("everyday.txt", __package__)
    while True:
        for one in ordinary(rng.randrange(1 << 30), 100):
            if len(one.text) <= _SHORT_CHARS:
                text = fill(rng.choice(parts["everyday"]), rng, parts)
                yield Sentence(
                    text.lower() if rng.random() < _LOWER_RATE else text, False, "everyday"
                )
                yield Sentence(one.text, False, "everyday")


def _questions(seed: int) -> Iterator[Question]:
    for one, other in zip(questions(seed), elsewhere(seed), strict=False):
        yield one
        yield other
