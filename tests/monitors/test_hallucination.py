"""Answers that are likely made up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from monitors.answer_signs import read_answer, read_question
from monitors.guard import Context
from monitors.hallucination import Hallucination, shipped_hallucination_model
from monitors.text_model import READ_CHARS

GUARD = Hallucination()


def chance(question: str, answer: str) -> float:
    """Return how sure the guard is that ``answer`` is made up."""
    (scan,) = GUARD.scan_in_context([answer], [Context(question)])
    return scan.score


def test_an_article_read_from_a_link_is_more_suspicious_than_advice() -> None:
    """A model without a network has not read the article; how to stay healthy it may know."""
    article = chance(
        "Summarize this article. https://news.example/2021/09/harbour",
        "The article says that 312 Harbour Lane was sold to ACME for $4 million in 2021.",
    )
    advice = chance("Give three tips for sleeping well.", "1. Keep regular hours.\n2. Walk daily.")
    assert article > 2 * advice


def test_scores_are_chances_and_say_what_was_read() -> None:
    """Only the beginning of a long answer is read, and the scan says so."""
    for text in ("", "a", "x" * 10_000):
        (scan,) = GUARD.scan([text])
        assert 0 < scan.score < 1
        assert scan.scanned_chars == min(len(text), READ_CHARS)


def test_a_batch_is_its_texts_one_by_one() -> None:
    """What is said of an answer does not depend on its neighbours."""
    texts, contexts = ["It is 4.", "Certainly."], [Context("What is 2 + 2?"), Context("Is it?")]
    alone = [
        GUARD.scan_in_context([text], [context])[0]
        for text, context in zip(texts, contexts, strict=True)
    ]
    assert GUARD.scan_in_context(texts, contexts) == alone


def test_the_version_is_that_of_the_weights() -> None:
    """Other weights make another version."""
    model = shipped_hallucination_model("answers")
    other = replace(model, bias=model.bias + 1)
    assert Hallucination(other).version != GUARD.version


def test_numbers_that_the_question_does_not_have_are_counted() -> None:
    """An answer that repeats the question's number says nothing new by it."""
    same = read_answer("How far is 12 km?", "It is 12 km.").numbers
    new = read_answer("How far is 12 km?", "It is 97 km.").numbers
    first_of_answer = len(read_question("How far is 12 km?").numbers)
    differing = np.flatnonzero(same != new)
    assert len(differing) > 0
    assert differing.min() >= first_of_answer
