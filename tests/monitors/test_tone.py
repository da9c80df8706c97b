"""Answers no customer should read, and plain ones."""

from __future__ import annotations

import pytest

from monitors.guard import Guard
from monitors.tone import Tone


@pytest.fixture(scope="module")
def tone() -> Guard:
    """Return one guard for all tests."""
    return Tone()


@pytest.mark.parametrize(
    "text",
    [
        "You are an idiot.",
        "What a stupid question, you moron!",
        "You will regret this.",
        "That is fucking wrong.",
        "Shut up and read the manual.",
        "That's not my problem.",
        "READ THE TERMS BEFORE ASKING SUCH THINGS AGAIN",
        "st\u200bupid: are you stupid?",
    ],
)
def test_rude_answers_are_flagged(tone: Guard, text: str) -> None:
    """Insults, threats, profanity, brush-offs and shouting count."""
    (scan,) = tone.scan([text])
    assert scan.score >= tone.threshold


@pytest.mark.parametrize(
    "text",
    [
        "You can block the card in the app under Cards.",
        "Your IBAN and BIC are on the statement.",
        "WARNING: never share your PIN.",
        "I am sorry for the trouble; we will refund the fee.",
        "Please do not worry, this is not a problem.",
        "SEPA, SWIFT and BACS transfers are free.",
        "",
    ],
)
def test_plain_answers_pass(tone: Guard, text: str) -> None:
    """Ordinary words, abbreviations and one loud word do not count."""
    (scan,) = tone.scan([text])
    assert scan.score < tone.threshold
