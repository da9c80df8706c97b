"""Bank questions with their answers, in any number, the same for the same seed.

Each intent has phrasings for training and others for the demo, so that what is measured on the
demo's questions is measured on wordings that no model of ours was trained on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from random import Random
from typing import Any, Literal

import yaml

from inference.bank.rewording import reworded
from inference.bank.wording import DEMO_OPENINGS, TRAIN_OPENINGS, Slots, typed, word

Split = Literal["train", "demo"]
Difficulty = Literal["easy", "hard"]

NOT_OURS = "I am sorry, I can only help with questions about your bank."
HARD_RATE = 0.2
REWORDED_RATE = 0.6
_REPEATS_MAX = 2000


@dataclass(frozen=True)
class Intent:
    """One thing people want to know, and the answer to it.

    Args:
        name: Topic, difficulty and number.
        topic: What it is about.
        difficulty: ``easy`` is answered by a fact, ``hard`` takes an explanation.
        answer: A template, filled with the slots of the question.
        phrasings: Templates of the question, by split.
        slots: The values that slots may take.
    """

    name: str
    topic: str
    difficulty: Difficulty
    answer: str
    phrasings: dict[Split, tuple[str, ...]]
    slots: Slots = field(repr=False)


@dataclass(frozen=True)
class Question:
    """A question as a customer types it; ``phrasing`` is the template it was made from."""

    text: str
    topic: str
    difficulty: Difficulty
    answer: str
    intent: str
    phrasing: str


def read_topics(folder: str) -> dict[str, dict[str, Any]]:
    """Return the topic files of ``folder`` by topic, in the order of their names."""
    found = files("inference.bank").joinpath("topics", folder).iterdir()
    paths = sorted((path for path in found if path.name.endswith(".yaml")), key=lambda p: p.name)
    return {path.name.removesuffix(".yaml"): yaml.safe_load(path.read_text()) for path in paths}


@cache
def intents() -> tuple[Intent, ...]:
    """Return everything the bank can be asked."""
    return tuple(
        Intent(
            name=f"{topic}/{difficulty}/{number}",
            topic=topic,
            difficulty=difficulty,
            answer=entry["answer"],
            phrasings={"train": tuple(entry["train"]), "demo": tuple(entry["demo"])},
            slots=content.get("slots", {}),
        )
        for topic, content in read_topics("bank").items()
        for difficulty in ("easy", "hard")
        for number, entry in enumerate(content[difficulty])
    )


@cache
def _strangers(split: Split) -> tuple[Intent, ...]:
    return tuple(
        Intent(
            name=f"{topic}/easy/0",
            topic=topic,
            difficulty="easy",
            answer=NOT_OURS,
            phrasings={split: tuple(content[split])},
            slots=content.get("slots", {}),
        )
        for topic, content in read_topics("elsewhere" if split == "train" else "shift").items()
    )


def questions(
    seed: int,
    *,
    split: Split = "demo",
    hard_rate: float = HARD_RATE,
    topics: Sequence[str] = (),
) -> Iterator[Question]:
    """Yield bank questions, no text twice, until the wordings are used up.

    Args:
        seed: The same seed gives the same questions.
        split: Whose phrasings: those for training, or those that no model has seen.
        hard_rate: The share of hard questions, 0 to 1.
        topics: The topics to ask about; all if empty.
    """
    chosen = [intent for intent in intents() if not topics or intent.topic in topics]
    easy = [intent for intent in chosen if intent.difficulty == "easy"]
    hard = [intent for intent in chosen if intent.difficulty == "hard"]
    rng = Random(f"questions {split} {seed}")
    return _distinct(rng, split, lambda: hard if rng.random() < hard_rate else easy)


def elsewhere(
    seed: int, *, split: Split = "demo", topics: Sequence[str] = ()
) -> Iterator[Question]:
    """Yield questions that are not the bank's business, no text twice.

    The demo's topics are others than those for training.

    Args:
        seed: The same seed gives the same questions.
        split: ``train`` is small talk of many kinds, ``demo`` what the demo shifts to.
        topics: The topics to ask about; all if empty.
    """
    chosen = [intent for intent in _strangers(split) if not topics or intent.topic in topics]
    return _distinct(Random(f"elsewhere {split} {seed}"), split, lambda: chosen)


def _distinct(rng: Random, split: Split, draw: Any) -> Iterator[Question]:
    seen: set[str] = set()
    repeats = 0
    while repeats < _REPEATS_MAX:
        question = _ask(rng.choice(draw()), split, rng)
        if question.text in seen:
            repeats += 1
            continue
        repeats = 0
        seen.add(question.text)
        yield question


def _ask(intent: Intent, split: Split, rng: Random) -> Question:
    slots: dict[str, str] = {}
    phrasing = rng.choice(intent.phrasings[split])
    text = word(phrasing, intent.slots, rng, slots)
    if split == "train" and rng.random() < REWORDED_RATE:
        text = reworded(text, rng)
    text = typed(text, TRAIN_OPENINGS if split == "train" else DEMO_OPENINGS, rng)
    return Question(
        text=text,
        topic=intent.topic,
        difficulty=intent.difficulty,
        answer=word(intent.answer, intent.slots, rng, slots),
        intent=intent.name,
        phrasing=phrasing,
    )
