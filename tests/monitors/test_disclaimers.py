"""Required disclaimers."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from monitors.disclaimers import Disclaimer, Disclaimers
from monitors.scanning import Scanner
from schemas.registry import GuardRule, Policy
from schemas.verdicts import Action

LOANS = Disclaimer(
    matter="loans",
    when=("(loan|mortgage|credit) ~4 (apr|interest|rate)",),
    says=("representative example", "subject to (status|approval)"),
)
GUARD = Disclaimers(Disclaimers.Options(required=(LOANS,)))


def test_a_matter_left_bare_is_shown() -> None:
    """The span is what touches on the matter."""
    text = "Our loan has an interest of 4 %."
    (scan,) = GUARD.scan([text])
    assert scan.score == 0.9
    assert [(s.label, text[s.start : s.end]) for s in scan.spans] == [
        ("loans", "loan has an interest")
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Our loan has an interest of 4 %, subject to status.",
        "Representative example: a loan at a rate of 4 %.",
        "Your card is on its way.",
    ],
)
def test_a_disclaimer_anywhere_will_do(text: str) -> None:
    """Before or after, one of those named; and other matters need none."""
    assert GUARD.scan([text])[0].score == 0


def test_no_answer_is_stopped_before_its_disclaimer_may_come() -> None:
    """Where a policy withholds, the whole answer is judged, not its beginning."""
    rule = GuardRule(
        action=Action.WITHHOLD, options=Disclaimers.Options(required=(LOANS,)).model_dump()
    )
    policy = Policy(name="strict", guards=("disclaimers",), rules={"disclaimers": rule})
    assert Scanner([Disclaimers()], policy).stopping() is None


@pytest.mark.parametrize("words", ["(open", "", "a?"])
def test_what_is_no_phrase_is_refused(words: str) -> None:
    """A policy's mistake is found when it is read."""
    with pytest.raises(ValidationError, match="is no phrase"):
        Disclaimer(matter="loans", when=(words,), says=("x",))
