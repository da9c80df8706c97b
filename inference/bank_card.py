"""What the bank model can do, measured, and the card that says so."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from inference.bank import Question, elsewhere, questions
from inference.bank.corpus import NOT_OURS
from inference.bank_score import Rate, Score, score
from inference.bank_tokenizer import BANK, CUSTOMER, END

_SEED = 20_000
_BATCH = 50
_ANSWER_TOKENS = 64


@dataclass(frozen=True)
class Figures:
    """How the model answers what it was not trained on.

    Args:
        easy: Facts, in held-out wordings.
        hard: Explanations, in held-out wordings.
        known: Facts, in the wordings of the training, with other fillings.
        perplexity: Of the reference answers to the held-out easy questions, per token.
        strangers: Questions of topics unknown to it that it declines.
    """

    easy: Score
    hard: Score
    known: Score
    perplexity: float
    strangers: Rate


def measure(folder: Path, count: int = 400) -> Figures:
    """Return the figures of the model in ``folder``; takes a minute on one core.

    Args:
        folder: Where model and tokenizer lie.
        count: Questions asked for each figure.
    """
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, padding_side="left")
    model: Any = AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, local_files_only=True
    )
    easy = list(islice(questions(_SEED, hard_rate=0), count))
    hard = list(islice(questions(_SEED, hard_rate=1), count))
    known = list(islice(questions(_SEED, split="train", hard_rate=0), count))
    strange = list(islice(elsewhere(_SEED), count))
    declined = [answer == NOT_OURS for answer in answers(model, tokenizer, strange)]
    return Figures(
        easy=score(easy, answers(model, tokenizer, easy)),
        hard=score(hard, answers(model, tokenizer, hard)),
        known=score(known, answers(model, tokenizer, known)),
        perplexity=_perplexity(model, tokenizer, easy),
        strangers=Rate(sum(declined), len(declined)),
    )


@torch.inference_mode()
def answers(model: Any, tokenizer: Any, asked: Sequence[Question]) -> list[str]:
    """Return the model's most likely answer to each question."""
    found: list[str] = []
    for at in range(0, len(asked), _BATCH):
        prompts = [f"{CUSTOMER}{question.text}{BANK}" for question in asked[at : at + _BATCH]]
        batch = tokenizer(prompts, return_tensors="pt", padding=True)
        out = model.generate(
            input_ids=batch.input_ids,
            attention_mask=batch.attention_mask,
            max_new_tokens=_ANSWER_TOKENS,
            do_sample=False,
        )
        found += tokenizer.batch_decode(
            out[:, batch.input_ids.shape[1] :], skip_special_tokens=True
        )
    return found


@torch.inference_mode()
def _perplexity(model: Any, tokenizer: Any, asked: Sequence[Question]) -> float:
    total, tokens = 0.0, 0
    for question in asked:
        prompt = tokenizer(f"{CUSTOMER}{question.text}{BANK}", return_tensors="pt").input_ids
        answer = tokenizer(f"{question.answer}{END}", return_tensors="pt").input_ids
        logits = model(input_ids=torch.cat([prompt, answer], 1)).logits
        logprobs = logits[0, prompt.shape[1] - 1 : -1].log_softmax(-1)
        total -= float(logprobs.gather(1, answer[0].unsqueeze(1)).sum())
        tokens += answer.shape[1]
    return math.exp(total / tokens)


def write_card(folder: Path, figures: Figures) -> None:
    """Write the model card into ``folder``."""
    (folder / "README.md").write_text(
        f"""\
# tidegate-bank-2m

A Llama of 2.2 million parameters (4 layers, width 192, 6 heads, vocabulary of 2,048 byte-level
BPE tokens, context of 1,024 tokens, bfloat16) that answers a bank's easy questions. It is the small
pool of Tidegate's demo and the model of its tests. Apache-2.0.

**Made by** `tidegate train bank DIR`, from nothing but the questions and answers in
`inference/bank/`, which were written for Tidegate. It knows that bank, its prices and nothing else.

**Not for** advice to anybody: its bank does not exist.

## Figures

Answers are greedy. *Exact*: the words of the reference answer. *Sensible*: at least 60 % of the
words shared (F1), and no other answer of the bank is nearer. 95 % Wilson intervals.

| questions | exact | sensible |
| --- | --- | --- |
| easy, held-out wordings | {figures.easy.exact} | {figures.easy.sensible} |
| hard, held-out wordings | {figures.hard.exact} | {figures.hard.sensible} |
| easy, wordings of the training, refilled | {figures.known.exact} | {figures.known.sensible} |

A held-out wording shares less than 60 % of its words with every wording of its intent in the
training; it is by the same authors, though. Perplexity of the reference answers to the easy
held-out questions: {figures.perplexity:.2f} per token. Of questions about topics that are not the
bank's and that it never saw, it declines {figures.strangers}.
"""
    )
