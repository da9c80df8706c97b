"""What the router can do, measured, and the card that says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from inference.bank import Question, elsewhere, questions
from inference.bank.topic import OTHER
from inference.bank_score import Rate
from inference.router import HARD
from inference.router_model import RouterModel

_SEED = 30_000


@dataclass(frozen=True)
class Figures:
    """How the router reads questions whose wordings it was not fitted on.

    Args:
        topic: Bank questions whose topic is right.
        unknown: Bank questions taken for none of the bank's.
        difficulty: Bank questions whose difficulty is right.
        found: Hard ones among the hard.
        mistaken: Easy ones taken for hard.
        strangers: Questions of topics unknown to it that are seen to be none of the bank's.
    """

    topic: Rate
    unknown: Rate
    difficulty: Rate
    found: Rate
    mistaken: Rate
    strangers: Rate


def measure(model: RouterModel, count: int = 4000) -> Figures:
    """Return the figures of ``model``; takes seconds.

    Args:
        model: What to measure.
        count: Questions of the bank, and as many of others.
    """
    asked = list(islice(questions(_SEED), count))
    read = [model.read(question.text) for question in asked]
    hard = [question.difficulty == "hard" for question in asked]
    said = [reading.difficulty >= HARD for reading in read]
    strange = [model.read(question.text).topic == OTHER for question in _strangers(count)]
    return Figures(
        topic=_rate([r.topic == q.topic for r, q in zip(read, asked, strict=True)]),
        unknown=_rate([reading.topic == OTHER for reading in read]),
        difficulty=_rate([s == h for s, h in zip(said, hard, strict=True)]),
        found=_rate([s for s, h in zip(said, hard, strict=True) if h]),
        mistaken=_rate([s for s, h in zip(said, hard, strict=True) if not h]),
        strangers=_rate(strange),
    )


def write_card(folder: Path, figures: Figures) -> None:
    """Write the model card into ``folder``."""
    (folder / "README.md").write_text(
        f"""\
# tidegate-router

A linear model over 8,192 hashed words and word pairs that tells a question's topic and whether it
wants more than a fact (difficulty). Fitted on the questions in `inference/bank/`, which were
written for Tidegate; difficulty is calibrated, and the floor of confidence below which a topic is
`other` chosen, on wordings held out in cross-validation. Apache-2.0.

| on wordings it was not fitted on, one in five hard | 95 % Wilson interval |
| --- | --- |
| topic right | {figures.topic} |
| taken for `other` | {figures.unknown} |
| difficulty right | {figures.difficulty} |
| hard ones found | {figures.found} |
| easy ones taken for hard | {figures.mistaken} |
| `other` on topics that it never saw | {figures.strangers} |

A held-out wording shares less than 60 % of its words with every wording of its intent in the
training; it is by the same authors, though.
"""
    )


def _strangers(count: int) -> Sequence[Question]:
    return list(islice(elsewhere(_SEED), count))


def _rate(hits: Sequence[bool]) -> Rate:
    return Rate(sum(hits), len(hits))
