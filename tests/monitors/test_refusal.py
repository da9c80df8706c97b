"""Answers that decline, and answers that merely say no to something."""

from __future__ import annotations

import pytest

from monitors.guard import Guard
from monitors.refusal import Refusal


@pytest.fixture(scope="module")
def refusal() -> Guard:
    """Return one guard for all tests."""
    return Refusal()


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't help with that.",
        "I\u2019m sorry, but I can\u2019t assist with this request.",
        "As an AI language model, I do not have opinions.",
        "Unfortunately, we are unable to discuss this.",
        "I must decline.",
        "I won't provide that information.",
        "That request is against our policies.",
    ],
)
def test_refusals_are_flagged(refusal: Guard, text: str) -> None:
    """The usual ways of declining count."""
    (scan,) = refusal.scan([text])
    assert scan.score >= refusal.threshold


@pytest.mark.parametrize(
    "text",
    [
        "You cannot withdraw more than 500 a day.",
        "Unfortunately you can't change the PIN in the app, but any cash machine does it.",
        "The transfer was declined by the other bank.",
        "Sorry for the wait. Your card is on its way.",
        "Yes.",
        "",
    ],
)
def test_answers_pass(refusal: Guard, text: str) -> None:
    """An answer that says what is impossible is an answer."""
    (scan,) = refusal.scan([text])
    assert scan.score < refusal.threshold


def test_a_remark_further_on_counts_half(refusal: Guard) -> None:
    """An answer that helps and then declines a part of it is not a refusal."""
    (scan,) = refusal.scan(["You can do this in the app. " * 8 + "I cannot provide tax advice."])
    assert 0 < scan.score < refusal.threshold
