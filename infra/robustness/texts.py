"""Attacks on texts: what they change, tried at random or word by word until the guard is silent."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

from infra.robustness.characters import CHARACTERS, SLIPS, Edit
from infra.robustness.sample import Sample
from infra.robustness.wording import COMPANY, FRAMES, PARAPHRASES, WORDS, Frame

Kind = Literal["none", "character", "word", "paraphrase", "search", "features"]
Scores = Callable[[Sequence[Sample]], Sequence[float]]

TRIES = 5
WORDS_MAX = 12
"""Words that the search changes at most."""
RANKED_MAX = 60
"""Words whose weight the search asks for."""
_WORD = re.compile(r"[^\W\d_]{3,}")
_SEARCHED = ("homoglyphs", "swap", "drop", "leetspeak")


@dataclass(frozen=True)
class Change:
    """One way to change a text.

    Args:
        name: What it is called.
        kind: What it works on.
        made: Makes the changed sample.
    """

    name: str
    kind: Kind
    made: Callable[[Sample, Random], Sample]


def _edited(edit: Edit) -> Callable[[Sample, Random], Sample]:
    def made(sample: Sample, rng: Random) -> Sample:
        return sample.of(*(edit(part, rng) for part in sample.parts))

    return made


def _framed(frame: Frame) -> Callable[[Sample, Random], Sample]:
    def made(sample: Sample, rng: Random) -> Sample:
        head, tail = frame(rng)
        before, sought, after = sample.parts
        return sample.of(head + before, sought, after + tail)

    return made


CHANGES: tuple[Change, ...] = (
    *(Change(name, "character", _edited(edit)) for name, edit in CHARACTERS.items()),
    *(Change(name, "word", _edited(edit)) for name, edit in WORDS.items()),
    *(Change(name, "word", _framed(frame)) for name, frame in COMPANY.items()),
    *(Change(name, "paraphrase", _edited(edit)) for name, edit in PARAPHRASES.items()),
    *(Change(name, "paraphrase", _framed(frame)) for name, frame in FRAMES.items()),
)


@dataclass(frozen=True)
class Outcome:
    """What came of attacking one sample that the guard finds when nobody attacks.

    Args:
        evaded_at_once: Whether the first try got past the guard.
        evaded: Whether any did.
        queries: How many texts the guard was asked about.
    """

    evaded_at_once: bool
    evaded: bool
    queries: int


def try_at_random(
    change: Change, samples: Sequence[Sample], scores: Scores, threshold: float, rng: Random
) -> list[Outcome]:
    """Return what came of changing each sample up to :data:`TRIES` times, each time anew."""
    at = [TRIES + 1] * len(samples)
    left = list(range(len(samples)))
    for number in range(1, TRIES + 1):
        found = scores([change.made(samples[place], rng) for place in left])
        for place, score in zip(left, found, strict=True):
            if score < threshold:
                at[place] = number
        left = [place for place in left if at[place] > TRIES]
    return [Outcome(number == 1, number <= TRIES, min(number, TRIES)) for number in at]


def search(sample: Sample, scores: Scores, threshold: float, rng: Random) -> Outcome:
    """Change the words that weigh most, one after the other, each in the way that hurts most.

    A word weighs what leaving it out takes from the score; of words that weigh alike, those of the
    part that must be found come first.

    References:
        J. Gao, J. Lanchantin, M. L. Soffa, Y. Qi, "Black-box generation of adversarial text
        sequences to evade deep learning classifiers", IEEE SPW (2018).
    """
    places = [match.span() for match in _WORD.finditer(sample.text)]
    places.sort(key=lambda place: not sample.start <= place[0] < sample.end)
    del places[RANKED_MAX:]
    weights = scores([_with(sample, *place, "") for place in places]) if places else []
    ranked = sorted(range(len(places)), key=lambda number: weights[number])[:WORDS_MAX]
    queries = len(places)
    while ranked:
        start, end = places[ranked.pop(0)]
        word = sample.text[start:end]
        tried = [_with(sample, start, end, SLIPS[name](word, rng)) for name in _SEARCHED]
        found = scores(tried)
        queries += len(tried)
        best = min(range(len(tried)), key=lambda place: found[place])
        longer = len(tried[best].text) - len(sample.text)
        sample = tried[best]
        if found[best] < threshold:
            return Outcome(False, True, queries)
        places = [(a + longer, b + longer) if a >= end else (a, b) for a, b in places]
    return Outcome(False, False, queries)


def _with(sample: Sample, start: int, end: int, word: str) -> Sample:
    """Return ``sample`` with ``word`` between two places of its text."""
    longer = len(word) - (end - start)
    text = sample.text[:start] + word + sample.text[end:]
    first = sample.start + (longer if end <= sample.start else 0)
    last = sample.end + (longer if start < sample.end else 0)
    return Sample(text, first, last, sample.beside)
