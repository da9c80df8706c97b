"""Answers are held against the passages they should lean on."""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

import numpy as np
import pytest

from monitors.groundedness import Groundedness
from monitors.guard import Context, Scan
from monitors.support import Floats, features, missing_values, sentences, source

PASSAGE = (
    "The Aurora account costs £4.50 a month. Transfers to Lisbon arrive within three working days."
    " Complaints go to Maria Novak."
)


def embed(texts: Sequence[str]) -> Floats:
    """Return unit vectors that lie the nearer, the more words two texts share."""
    rows = np.zeros((len(texts), 64), np.float32)
    for row, text in zip(rows, texts, strict=True):
        for word in text.lower().split():
            row[crc32(word.strip(".,?").encode()) % 64] += 1
    norms: Floats = np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)
    return rows / norms


GUARD = Groundedness(embed)


def scan(answer: str, question: str = "What about my account?") -> Scan:
    """Return what the guard reads in ``answer``, with the passage there."""
    (found,) = GUARD.scan_in_context([answer], [Context(question, question, (PASSAGE,))])
    return found


@pytest.mark.parametrize(
    ("right", "wrong", "marked"),
    [
        ("The Aurora account costs £4.50 a month.", "The Aurora account costs £9 a month.", "9"),
        ("Complaints go to Maria Novak.", "Complaints go to Omar Weiss.", "Omar"),
        ("Transfers to Lisbon arrive within 3 days.", "Transfers to Lisbon take 5 days.", "5"),
    ],
)
def test_a_value_that_no_passage_has_is_found_and_marked(
    right: str, wrong: str, marked: str
) -> None:
    """The same sentence is supported with the passage's value and not with another."""
    assert scan(right).score < GUARD.threshold <= scan(wrong).score
    first = scan(wrong).spans[0]
    assert wrong[first.start : first.end] == marked


def test_a_denial_of_what_a_passage_says_is_unsupported() -> None:
    """All words are there, but the passage says the opposite."""
    right, wrong = "Complaints go to Maria Novak.", "Complaints do not go to Maria Novak."
    assert scan(wrong).score > scan(right).score


def test_what_the_question_says_may_be_repeated() -> None:
    """A number of the customer's own is not made up."""
    answer = "You asked about £120."
    known = source([PASSAGE], "Can I pay £120?", embed)
    unknown = source([PASSAGE], "Can I pay?", embed)
    (said,) = sentences(answer)
    assert missing_values(said, known) == []
    assert [answer[s.start : s.end] for s in missing_values(said, unknown)] == ["120"]


def test_numbers_are_the_same_however_they_are_written() -> None:
    """Words, separators of thousands and fractions of nothing do not make another number."""
    (said,) = sentences("It costs 1,200.00 and takes three days.")
    known = source(["It costs 1200 and takes 3 days."], "", embed)
    assert missing_values(said, known) == []


def test_questions_and_courtesies_are_no_claims() -> None:
    """What asserts nothing needs no support."""
    assert scan("Hello! Which Zanzibar account do you mean?").score == 0.0
    assert scan("").score == 0.0


def test_the_worst_sentence_decides() -> None:
    """A right sentence does not make up for a wrong one."""
    wrong = "The Aurora account costs £9 a month."
    right = "Complaints go to Maria Novak."
    assert scan(f"{right} {wrong}").score == pytest.approx(scan(wrong).score)


def test_without_passages_nothing_is_supported() -> None:
    """An answer that is held against nothing is as bad as one that is made up."""
    (found,) = GUARD.scan(["The Aurora account costs £4.50 a month."])
    assert found.score > GUARD.threshold


def test_traits_of_a_repeated_sentence_are_the_best_there_are() -> None:
    """A sentence of the passage itself is alike, has all its words, and lacks no value."""
    known = source([PASSAGE], "", embed)
    said = known.said[1]
    traits = features(said, known.vectors[1], known)
    assert traits[:6].tolist() == pytest.approx([1, 1, 1, 1, 0, 0], abs=1e-5)
