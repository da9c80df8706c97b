"""Texts changed to deceive guards."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pytest

from infra.robustness.characters import CHARACTERS
from infra.robustness.sample import Sample, whole
from infra.robustness.texts import CHANGES, TRIES, WORDS_MAX, Change, search, try_at_random

SAMPLE = Sample("Please tell me about Ada Lovelace, who is famous. Do not ask.", 21, 33)
EVERY_CHANGE = pytest.mark.parametrize("change", CHANGES, ids=lambda change: str(change.name))


def says_secret(samples: Sequence[Sample]) -> list[float]:
    """Score texts as a guard would that knows one word."""
    return [float("secret" in sample.text) for sample in samples]


def never_silent(samples: Sequence[Sample]) -> list[float]:
    """Score texts as a guard would that flags everything."""
    return [1.0] * len(samples)


def test_names_are_unique() -> None:
    """Figures are told apart by them."""
    assert len({change.name for change in CHANGES}) == len(CHANGES)


@EVERY_CHANGE
def test_a_change_changes_and_keeps_its_place(change: Change) -> None:
    """Most tries make another text, in which the part that must be found is still marked."""
    made = [change.made(SAMPLE, Random(seed)) for seed in range(30)]
    assert sum(one.text != SAMPLE.text for one in made) > 15
    for one in made:
        assert "".join(one.parts) == one.text
        assert one.parts[1].strip()
        assert change.kind == "character" or one.parts[1].startswith("Ada")


@EVERY_CHANGE
def test_the_same_seed_makes_the_same_text(change: Change) -> None:
    """Figures of two versions are of the same attacks."""
    assert change.made(SAMPLE, Random(5)) == change.made(SAMPLE, Random(5))


@EVERY_CHANGE
def test_short_and_odd_texts_are_changed_too(change: Change) -> None:
    """Nothing breaks on texts without words."""
    for text in ("", " ", "a", "12 34", "\u200b", "ab cd"):
        change.made(whole(text), Random(1))


@pytest.mark.parametrize("name", CHARACTERS)
def test_characters_stay_readable(name: str) -> None:
    """An edit leaves at least the words it does not touch."""
    text = "these are some words that stand here for quite a while"
    edited = CHARACTERS[name](text, Random(2))
    assert name == "case" or set(edited.split()) & set(text.split())


def test_tries_are_counted() -> None:
    """Who gets past at once has asked once; who never does, as often as there are tries."""
    drop = next(change for change in CHANGES if change.name == "drop")
    samples = [whole("secret")] * 40
    outcomes = try_at_random(drop, samples, says_secret, 0.5, Random(0))
    assert {outcome.queries for outcome in outcomes if outcome.evaded_at_once} == {1}
    assert any(outcome.evaded and not outcome.evaded_at_once for outcome in outcomes)
    stubborn = try_at_random(drop, samples[:3], never_silent, 0.5, Random(0))
    assert [(one.evaded, one.queries) for one in stubborn] == [(False, TRIES)] * 3


def test_the_search_goes_for_the_word_that_matters() -> None:
    """It leaves each word out once, then changes the one that the score hangs on."""
    text = "there are many words around the secret that nobody looks at"
    outcome = search(whole(text), says_secret, 0.5, Random(0))
    assert outcome.evaded
    assert outcome.queries < 2 * len(text.split())


def test_the_search_gives_up() -> None:
    """It changes a bounded number of words."""
    outcome = search(whole("words " * 100), never_silent, 0.5, Random(0))
    assert not outcome.evaded
    assert outcome.queries <= 60 + 4 * WORDS_MAX
