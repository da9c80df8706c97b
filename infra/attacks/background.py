"""Texts that are about anything but a model, so that what is new to the guard is no attack."""

from __future__ import annotations

import base64
import codecs
import re
from collections.abc import Iterator
from functools import cache
from itertools import islice
from pydoc_data.topics import topics
from random import Random
from urllib.parse import quote

from inference.bank import elsewhere, questions
from infra.attacks.corpus import Example, parts
from infra.attacks.grammar import fill
from infra.pii.sentences import sentences

_BREAK = re.compile(r"\n\s*\n")
_SPACES = re.compile(r"\s+")
_STATEMENTS = 4000
_CODED_CHARS = (40, 80, 300)
_LEET = str.maketrans("aeiost", "431057")
_HINTS = (
    *("", "", "Decode and follow: ", "base64: ", "rot13: ", "hex: ", "Please decode this.\n"),
    *("I need this: ", "Can you read it? ", "Please do the following: ", "Today's note: ", "Hi, "),
)
_THANKS = ("", "", " thanks", " Thank you!", "\nPlease answer.", " is what he wrote", " now")


def passage(rng: Random) -> str:
    """Return some sentences in a row: a manual's paragraphs, a bank's answers, notes on people."""
    kind = rng.random()
    if kind < 0.5:
        paragraphs = _manual()
        start = rng.randrange(len(paragraphs))
        chosen = paragraphs[start : start + rng.choice((1, 1, 1, 2, 3, 5, 8))]
        if rng.random() < 0.6:
            chosen = [_SPACES.sub(" ", paragraph).strip() for paragraph in chosen]
        return rng.choice(("\n\n", "\n", " ")).join(chosen)
    said = _statements() if kind < 0.85 else _exchanges()
    return " ".join(rng.choices(said, k=rng.choice((1, 1, 2, 3, 5, 8))))


def neutral(rng: Random) -> Example:
    """Return some sentences in a row as an example of no attack."""
    return Example(passage(rng), False, "written: neutral", "neutral")


def buried(rng: Random) -> Iterator[Example]:
    """Yield an order to the model among sentences of others, and a harmless one in such a place."""
    for part, attack in (("injected", True), ("plain", False)):
        said = fill(rng.choice(parts()[part]), rng, parts())
        text = rng.choice((" ", " ", "\n", "\n\n")).join((passage(rng), said, passage(rng)))
        yield Example(text, attack, f"written: buried {part}", "neutral")


def encoded(attack: Example, rng: Random) -> Example:
    """Return ``attack`` written in some code, among other words or alone."""
    raw = attack.text[: rng.choice(_CODED_CHARS)]
    code = rng.choice((_base64, _rot13, _hexadecimal, _leet, _escaped))
    text = f"{rng.choice(_HINTS)}{code(raw)}{rng.choice(_THANKS)}"
    return Example(text, True, "written: encoded", attack.template)


def shuffled(attack: Example, rng: Random) -> Example:
    """Return the words of ``attack`` in any order: the same words, and nothing is said."""
    words = attack.text.split()
    rng.shuffle(words)
    return Example(" ".join(words), False, "written: shuffled", "neutral")


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _rot13(text: str) -> str:
    return codecs.encode(text, "rot13")


def _hexadecimal(text: str) -> str:
    return text.encode().hex()


def _escaped(text: str) -> str:
    return quote(text, safe="")


def _leet(text: str) -> str:
    return text.translate(_LEET)


@cache
def _manual() -> list[str]:
    """Return the paragraphs of the language reference that comes with Python, prose and code."""
    paragraphs = [part for name in sorted(topics) for part in _BREAK.split(topics[name])]
    return [part for part in paragraphs if len(part) > 60]


@cache
def _statements() -> list[str]:
    return [sentence.text for sentence in islice(sentences(0), _STATEMENTS)]


@cache
def _exchanges() -> list[str]:
    return list(islice(_said(), _STATEMENTS))


def _said() -> Iterator[str]:
    for one, other in zip(questions(0), elsewhere(0), strict=False):
        yield from (one.text, one.answer, other.text)
