"""How far passages say what a sentence says: by wording, exact values, denial and embedding."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from schemas.verdicts import Span

Floats = npt.NDArray[np.float32]
Embed = Callable[[Sequence[str]], Floats]

FEATURES = (
    "likeness",
    "likeness_to_any",
    "words_found",
    "words_found_anywhere",
    "values_missing",
    "values_elsewhere",
    "is_denial",
    "denial_differs",
    "has_values",
)
_SENTENCE = re.compile(r"[^.!?\n]+(?:[.!?](?=\S)[^.!?\n]*)*[.!?]*")
_WORD = re.compile(r"[^\W\d_]+")
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_NAME = re.compile(r"(?<![.!?:]\s)(?<!^)\b[A-Z][^\W\d_]+")
_DENIAL = re.compile(
    r"\b(?:not|no|never|none|nobody|nothing|neither|nor|without|cannot|unable|\w+n't|free of"
    r"|cancelled|refuses?d?|denie[sd])\b",
    re.IGNORECASE,
)
_COUNTED = "zero one two three four five six seven eight nine ten eleven twelve"
_COUNTS = {word: str(count) for count, word in enumerate(_COUNTED.split())}
_PLAIN_WORDS = """
    a an the and or but if of in on at to for from by with as is are was were be been it its this
    that these those there then than so you your we our they their he she his her i my me us do
    does did have has had will would can could may might should must about after before which who
    what when where how also most more some any all each per up out over under into
"""
_PLAIN = frozenset(_PLAIN_WORDS.split())
_STEM_CHARS = 5


@dataclass(frozen=True)
class Sentence:
    """A sentence with what can be checked in it.

    Args:
        text: What it says.
        start: Where it begins in its text, in characters.
        words: The beginnings of its telling words, in small letters.
        values: Its numbers and names, months and days among them, with where they stand in it.
        denies: Whether it says that something is not so.
    """

    text: str
    start: int
    words: frozenset[str]
    values: tuple[tuple[str, int, int], ...]
    denies: bool


def sentences(text: str) -> list[Sentence]:
    """Return the sentences of ``text`` that have at least two telling words or a value."""
    found = []
    for match in _SENTENCE.finditer(text):
        said = match[0].strip()
        start = match.start() + match[0].index(said) if said else match.start()
        words, values = frozenset(_stems(said)), tuple(_values(said))
        if len(words) > 1 or values:
            found.append(Sentence(said, start, words, values, bool(_DENIAL.search(said))))
    return found


@dataclass(frozen=True)
class Source:
    """What an answer may lean on.

    Args:
        said: The sentences of the passages.
        vectors: Their embeddings, shape (sentences, width).
        words: All telling words of the passages.
        values: All values of passages and question.
    """

    said: tuple[Sentence, ...]
    vectors: Floats
    words: frozenset[str]
    values: frozenset[str]


def source(passages: Sequence[str], prompt: str, embed: Embed) -> Source:
    """Return what answers to ``prompt`` may lean on."""
    said = tuple(sentence for passage in passages for sentence in sentences(passage))
    words = frozenset(word for passage in passages for word in _stems(passage))
    texts = (*passages, prompt)
    values = frozenset(value for text in texts for value, _, _ in _values(text, all_names=True))
    return Source(said, embed([sentence.text for sentence in said]), words, values)


def features(sentence: Sentence, vector: Floats, known: Source) -> Floats:
    """Return :data:`FEATURES` of one sentence of an answer, shape (9,).

    The passage's sentence that it is held against is the one that shares most words and looks most
    alike; what its neighbours say counts as said there too.
    """
    if not known.said:
        return np.array([0, 0, 0, 0, len(sentence.values), 0, sentence.denies, 0, 1], np.float32)
    likeness = known.vectors @ vector
    size = max(1, len(sentence.words))
    shared = np.array([len(sentence.words & one.words) / size for one in known.said], np.float32)
    best = int((likeness + shared).argmax())
    near = known.said[max(0, best - 1) : best + 2]
    nearby = frozenset(value for one in near for value, _, _ in one.values)
    missing = [value for value, _, _ in sentence.values if value not in known.values]
    elsewhere = [
        value for value, _, _ in sentence.values if value in known.values and value not in nearby
    ]
    numbers = [
        float(likeness[best]),
        float(likeness.max()),
        float(shared[best]),
        len(sentence.words & known.words) / size,
        float(min(3, len(missing))),
        float(min(3, len(elsewhere))),
        float(sentence.denies),
        float(sentence.denies != known.said[best].denies),
        float(bool(sentence.values)),
    ]
    return np.array(numbers, np.float32)


def missing_values(sentence: Sentence, known: Source) -> list[Span]:
    """Return where ``sentence`` has numbers and names that neither passages nor question have."""
    return [
        Span(start=sentence.start + start, end=sentence.start + end, label="UNSUPPORTED")
        for value, start, end in sentence.values
        if value not in known.values
    ]


def _stems(text: str) -> list[str]:
    words = [word.lower() for word in _WORD.findall(text)]
    return [word[:_STEM_CHARS] for word in words if word not in _PLAIN and len(word) > 1]


def _values(text: str, *, all_names: bool = False) -> list[tuple[str, int, int]]:
    """Return the numbers and names in ``text`` in one form, in order.

    A word that begins a sentence is no name by its capital alone, unless ``all_names``.
    """
    names = re.finditer(r"\b[A-Z][^\W\d_]+", text) if all_names else _NAME.finditer(text)
    found = [
        (match[0].lower(), match.start(), match.end())
        for match in names
        if match[0].lower() not in _PLAIN
    ]
    for match in _NUMBER.finditer(text):
        found.append((_number(match[0]), match.start(), match.end()))
    for match in _WORD.finditer(text):
        if match[0].lower() in _COUNTS:
            found.append((_COUNTS[match[0].lower()], match.start(), match.end()))
    return sorted(found, key=lambda value: value[1])


def _number(written: str) -> str:
    """Return a number without separators of thousands and without a fraction of nothing.

    >>> _number("1,200"), _number("4.50"), _number("9:30")
    ('1200', '4.5', '9:30')
    """
    plain = re.sub(r",(?=\d{3}\b)", "", written)
    whole, dot, fraction = plain.partition(".")
    return f"{whole}.{fraction.rstrip('0')}".rstrip(".") if dot else plain
