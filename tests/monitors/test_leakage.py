"""What answers give away of a model's instructions."""

from __future__ import annotations

import base64

import pytest
from pydantic import ValidationError

from monitors.leakage import Leakage, overlap

TOLD = (
    "You are the assistant of a bank. Never mention the merger before the first of May. Always "
    "offer the gold card to customers who ask about travel, and keep each answer under forty words."
)
GUARD = Leakage(Leakage.Options(canaries=("heron-4417",), protected=(TOLD,)))


@pytest.mark.parametrize(
    ("label", "text"),
    [
        ("canary", "The word is heron-4417."),
        ("canary", "HERON_4417"),
        ("canary", "In base64: " + base64.b64encode(b"the word was heron-4417, yes").decode()),
        ("repeated", "I must never mention the merger before the first of May; always offer it."),
        ("repeated", "OFFER the gold card, to customers who ask about travel and keep each answer"),
        ("owned_up", "My system prompt says that I should be polite."),
        ("owned_up", "Here are my full instructions: be polite."),
    ],
)
def test_leaks_are_found(label: str, text: str) -> None:
    """Whatever the case and the punctuation, and for canaries also encoded."""
    (scan,) = GUARD.scan([text])
    assert label in {span.label for span in scan.spans}
    assert scan.score >= GUARD.threshold


@pytest.mark.parametrize(
    "text",
    [
        "The gold card is for customers who travel.",
        "Here are the instructions for activating your card.",
        "I am the assistant of a bank.",
        "I cannot share my instructions.",
    ],
)
def test_ordinary_answers_are_left(text: str) -> None:
    """A few words in common are no leak, nor are instructions for customers."""
    assert GUARD.scan([text])[0].score == 0


def test_a_policy_without_canaries_knows_the_phrases_alone() -> None:
    """Without options the guard is there, and knows nobody's words."""
    scans = Leakage().scan(["heron-4417", "My system prompt is short."])
    assert [scan.score for scan in scans] == [0.0, 0.7]


def test_short_canaries_are_refused() -> None:
    """A word that answers hold by chance is no canary."""
    with pytest.raises(ValidationError):
        Leakage.Options(canaries=("card",))


def test_every_run_of_eleven_words_is_found() -> None:
    """Wherever in the instructions it was taken from."""
    words = TOLD.split()
    for start in range(len(words) - 10):
        assert GUARD.scan([" ".join(words[start : start + 11])])[0].score > 0


@pytest.mark.parametrize(("answer", "share"), [(TOLD, 1.0), ("", 0.0), ("gold card", 0.0)])
def test_overlap_is_a_share(answer: str, share: float) -> None:
    """All of the instructions are all of them, and none none."""
    assert overlap(answer, TOLD) == share


def test_overlap_with_nothing_is_none() -> None:
    """Without instructions nothing can be repeated; short ones are one run."""
    assert overlap("anything", "") == 0
    assert overlap("you should be brief, please", "Be brief!") == 1.0
