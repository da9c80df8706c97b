"""How well a model answers the bank's questions, on wordings it never saw."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from inference.bank import Question, intents

SENSIBLE_OVERLAP = 0.6
_Z = 1.96


@dataclass(frozen=True)
class Rate:
    """A share of ``total`` with its 95 % Wilson interval."""

    hits: int
    total: int

    @property
    def value(self) -> float:
        """The share itself; 0 of nothing is 0."""
        return self.hits / self.total if self.total else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """The interval's ends."""
        if not self.total:
            return 0.0, 1.0
        share, n = self.value, self.total
        centre = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
        half = _Z * math.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2)) / (1 + _Z**2 / n)
        return max(0.0, centre - half), min(1.0, centre + half)

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.value:.1%} ({low:.1%} to {high:.1%}, n = {self.total})"


@dataclass(frozen=True)
class Score:
    """How answers compare with what the bank would say.

    Args:
        exact: The same words, in the same order.
        sensible: Nearer to the answer of the question's own intent than to any other answer, with
            at least 60 % of the words shared.
    """

    exact: Rate
    sensible: Rate


def score(questions: Sequence[Question], answers: Sequence[str]) -> Score:
    """Return how ``answers`` compare with what the bank would say to ``questions``."""
    pairs = list(zip(questions, answers, strict=True))
    exact = sum(_words(answer) == _words(question.answer) for question, answer in pairs)
    sensible = sum(is_sensible(question, answer) for question, answer in pairs)
    return Score(Rate(exact, len(pairs)), Rate(sensible, len(pairs)))


def is_sensible(question: Question, answer: str) -> bool:
    """Return whether ``answer`` says, in its own words, what the bank would say."""
    own = overlap(question.answer, answer)
    if own < SENSIBLE_OVERLAP:
        return False
    return all(
        overlap(other, answer) <= own
        for other, name in _answers()
        if name != question.intent and other != question.answer
    )


def overlap(wanted: str, said: str) -> float:
    """Return the F1 of the words that both texts have, 0 to 1.

    >>> overlap("A new card is free.", "the new card is free")
    0.8
    """
    left, right = Counter(_words(wanted)), Counter(_words(said))
    shared = sum((left & right).values())
    return 2 * shared / max(1, left.total() + right.total())


@cache
def _answers() -> tuple[tuple[str, str], ...]:
    return tuple((intent.answer, intent.name) for intent in intents())


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9.,%]*[a-z0-9%]", text.lower())
