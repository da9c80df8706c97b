"""What the bank model is trained on, and that the shipped one was trained on it."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest

from inference.bank.mishaps import DO_NOT_SHARE
from inference.bank_tokenizer import train_tokenizer
from inference.chat import load_tokenizer
from inference.models import bank_folder
from inference.train_bank import CONTEXT_TOKENS, Pair, corpus_texts, encode, lessons

pytestmark = pytest.mark.filterwarnings("ignore")


def test_same_seed_same_lessons() -> None:
    """A seed decides what is learnt, in which order."""
    first = list(islice(lessons(1), 500))
    assert first == list(islice(lessons(1), 500))
    assert first != list(islice(lessons(2), 500))


def test_pasted_numbers_are_learnt_masked() -> None:
    """The model sees placeholders, as in the pipeline, and learns to ask for discretion."""
    pasted = [p.question for p in islice(lessons(3), 4000) if p.answer == DO_NOT_SHARE]
    assert pasted
    assert all("[CARD_1]" in text or "[IBAN_1]" in text for text in pasted)


def test_the_answer_is_what_counts() -> None:
    """Every token of the answer weighs in full, the end included, those of the question little."""
    tokenizer = load_tokenizer(bank_folder(Path()))
    tokens, weights = encode(tokenizer, Pair("Where is my card?", "In the post."))
    told = [token for token, weight in zip(tokens, weights, strict=True) if weight == 1.0]
    assert tokenizer.decode(told) == "In the post.<|end|>"
    assert 0 < min(weights) < 0.5


def test_shipped_tokenizer_is_the_corpus_own() -> None:
    """The corpus in the repository is the one that the shipped model was trained on."""
    shipped = load_tokenizer(bank_folder(Path()))
    assert train_tokenizer(corpus_texts(0), CONTEXT_TOKENS).get_vocab() == shipped.get_vocab()
