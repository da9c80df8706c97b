"""The corpus: many distinct questions, the same for the same seed, with wordings held out."""

from __future__ import annotations

import re
from collections import Counter
from itertools import islice, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.bank import elsewhere, injections, intents, pasted, questions
from inference.bank.corpus import Intent
from inference.bank.mishaps import attempts
from inference.bank.numbers import iban_check_digits, luhn_digit
from inference.bank.topic import OTHER
from inference.bank.wording import word, wordings
from inference.bank_score import Rate, is_sensible, overlap

HELD_OUT_OVERLAP = 0.6


def test_thousands_of_distinct_questions() -> None:
    """The demo never runs out of questions it has not asked."""
    texts = [question.text for question in islice(questions(1), 5000)]
    assert len(set(texts)) == 5000


def test_covers_many_topics_in_both_difficulties() -> None:
    """Each topic has facts to ask for and things to explain."""
    by_topic = Counter((intent.topic, intent.difficulty) for intent in intents())
    topics = {topic for topic, _ in by_topic}
    assert len(topics) >= 20
    assert all(by_topic[topic, "easy"] >= 5 for topic in topics)
    assert all(by_topic[topic, "hard"] >= 2 for topic in topics)
    assert OTHER not in topics


@pytest.mark.parametrize("split", ["train", "demo"])
def test_same_seed_same_questions(split: str) -> None:
    """A seed decides all questions, another one makes others."""
    first = list(islice(questions(3, split=split), 200))  # type: ignore[arg-type]
    assert first == list(islice(questions(3, split=split), 200))  # type: ignore[arg-type]
    assert first != list(islice(questions(4, split=split), 200))  # type: ignore[arg-type]


def test_hard_rate_is_kept() -> None:
    """The share of hard questions is the one asked for."""
    hard = sum(question.difficulty == "hard" for question in islice(questions(5), 4000))
    low, high = Rate(hard, 4000).interval
    assert low < 0.2 < high


def test_topics_can_be_chosen() -> None:
    """A demo can ask about some topics only."""
    chosen = ["pin", "mortgage"]
    assert {q.topic for q in islice(questions(1, topics=chosen), 300)} == set(chosen)
    strange = islice(elsewhere(1, topics=["cryptocurrency"]), 50)
    assert {q.topic for q in strange} == {"cryptocurrency"}


def test_a_question_fills_its_answer() -> None:
    """No template's braces or alternatives are left in a question or its answer."""
    for question in islice(questions(2), 3000):
        assert not re.search(r"[{}|]", question.text + question.answer)
        assert question.answer == question.answer.strip()


@pytest.mark.parametrize("intent", intents(), ids=lambda intent: intent.name)
def test_held_out_wordings_are_not_trained_on(intent: Intent) -> None:
    """No wording for training shares 60 % of its words with one of the demo's."""
    trained = [form for phrasing in intent.phrasings["train"] for form in _forms(phrasing)]
    for phrasing in intent.phrasings["demo"]:
        for form in _forms(phrasing):
            assert max(_jaccard(form, other) for other in trained) < HELD_OUT_OVERLAP


def test_strangers_of_the_demo_are_not_trained_on() -> None:
    """What the demo shifts to are topics that training lacks."""
    train = {question.topic for question in islice(elsewhere(1, split="train"), 2000)}
    demo = {question.topic for question in islice(elsewhere(1, split="demo"), 2000)}
    assert len(demo) >= 5
    assert not train & demo


def test_pasted_numbers_pass_their_checksums() -> None:
    """Pasted cards and IBANs are valid, so that a guard with checksums must find them."""
    kinds: Counter[str] = Counter()
    for mishap in islice(pasted(1), 300):
        (value,) = mishap.values
        assert value in mishap.text
        kinds[mishap.kind] += 1
        digits = re.sub(r"[ -]", "", value)
        if mishap.kind == "card":
            assert len(digits) == 16
            assert luhn_digit(digits[:-1]) == int(digits[-1])
        else:
            assert iban_check_digits(digits[:2], digits[4:]) == digits[2:4]
    assert min(kinds["card"], kinds["iban"]) > 100


def test_injections_come_in_many_forms() -> None:
    """Attempts on the model are varied, and the same for the same seed."""
    texts = {mishap.text for mishap in islice(injections(1), 300)}
    assert len(texts) > 100
    first = list(islice(injections(2), 20))
    assert first == list(islice(injections(2), 20))


def test_all_templates_of_mishaps_can_be_filled() -> None:
    """Every template names slots that exist."""
    content = attempts()
    slots = {**content["slots"], "card": ["1"], "iban": ["2"]}
    for kind in ("injections", "cards", "ibans"):
        for template in content[kind]:
            assert wordings(template, slots) >= 1


@given(st.integers(min_value=0))
def test_luhn_digit_catches_a_wrong_digit(number: int) -> None:
    """Changing any one digit of a number changes its check digit."""
    body = str(number)
    for at, digit in enumerate(body):
        other = body[:at] + str((int(digit) + 1) % 10) + body[at + 1 :]
        assert luhn_digit(other) != luhn_digit(body)


@given(st.randoms(use_true_random=False))
def test_a_slot_has_one_value_in_question_and_answer(rng: object) -> None:
    """What a question names is what its answer speaks of."""
    chosen: dict[str, str] = {}
    slots = {"card": ["debit card", "credit card"]}
    asked = word("Where is my {card}?", slots, rng, chosen)  # type: ignore[arg-type]
    said = word("Your {card} is here.", slots, rng, chosen)  # type: ignore[arg-type]
    assert chosen["card"] in asked
    assert chosen["card"] in said


def test_sensible_means_nearest_to_its_own_answer() -> None:
    """The reference answer is sensible, another intent's is not, nor is a scrap of it."""
    first, second = islice(questions(1, hard_rate=0), 2)
    assert is_sensible(first, first.answer)
    assert not is_sensible(first, second.answer)
    assert not is_sensible(first, first.answer.split()[0])
    assert overlap(first.answer, "") == 0


def _forms(template: str) -> list[str]:
    parts = re.split(r"\(([^()]*\|[^()]*)\)", template)
    choices = [part.split("|") if at % 2 else [part] for at, part in enumerate(parts)]
    return ["".join(form) for form in product(*choices)]


def _jaccard(left: str, right: str) -> float:
    one, two = (
        set(re.findall(r"[a-z0-9']+", re.sub(r"\{\w+\}", "slot", text).lower()))
        for text in (left, right)
    )
    return len(one & two) / len(one | two)
