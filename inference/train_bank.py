"""Train the bank model from nothing but the corpus, the same weights for the same seed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import torch
from torch.nn import functional
from transformers import AutoModelForCausalLM, LlamaConfig, PreTrainedTokenizerFast

from inference.bank import elsewhere, injections, pasted, questions
from inference.bank.corpus import NOT_OURS
from inference.bank.mishaps import DO_NOT_SHARE
from inference.bank.rewording import telling
from inference.bank_card import measure, write_card
from inference.bank_tokenizer import BANK, CUSTOMER, END, train_tokenizer

Progress = Callable[[int, int, float], None]

CONTEXT_TOKENS = 1024
STEPS = 1000
BATCH = 64
_POOL = 16
_PEAK_RATE = 3e-3
_WARMUP_STEPS = 100
_QUESTION_WEIGHT = 0.2
_LOST_WORD_RATE = 0.2
_THREADS = 2


@dataclass(frozen=True)
class Pair:
    """A question and the answer to learn."""

    question: str
    answer: str


def train_bank(
    folder: Path, seed: int = 0, progress: Progress | None = None, *, steps: int = STEPS
) -> None:
    """Train the bank model and save it in ``folder``; takes minutes on two cores.

    The same seed gives the same weights on the same machine and libraries.

    Args:
        folder: Gets config.json, model.safetensors (bfloat16), the tokenizer and the model card.
        seed: Decides the weights to start from and the order of the questions.
        progress: Called after each step with its number, the number of steps and the loss.
        steps: Batches to learn from.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(_THREADS)
    torch.manual_seed(seed)
    try:
        tokenizer = train_tokenizer(corpus_texts(seed), CONTEXT_TOKENS)
        model: Any = AutoModelForCausalLM.from_config(  # type: ignore[no-untyped-call]
            _config(tokenizer), dtype=torch.float32
        )
        _fit(model, tokenizer, seed, steps, progress)
    finally:
        torch.set_num_threads(threads)
    model.to(torch.bfloat16).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    write_card(folder, measure(folder))


def lessons(seed: int) -> Iterator[Pair]:
    """Yield what the model learns from, without end: bank questions, strangers and mishaps."""
    rng = Random(f"lessons {seed}")
    bank = questions(seed, split="train", hard_rate=0.3)
    strangers = elsewhere(seed, split="train")
    attacks, numbers = injections(seed), pasted(seed)
    while True:
        kind = rng.random()
        if kind < 0.82:
            question = next(bank)
            yield Pair(_lossy(question.text, rng), question.answer)
        elif kind < 0.94:
            yield Pair(_lossy(next(strangers).text, rng), NOT_OURS)
        elif kind < 0.96:
            yield Pair(next(attacks).text, NOT_OURS)
        else:
            mishap = next(numbers)
            masked = mishap.text.replace(mishap.values[0], f"[{mishap.kind.upper()}_1]")
            yield Pair(masked, DO_NOT_SHARE)


def _lossy(text: str, rng: Random) -> str:
    """Return ``text``, or what is left of it when words get lost, or some of its telling words."""
    words = text.split()
    kind = rng.random()
    if kind < 0.4 or len(words) < 5:
        return text
    if kind < 0.7:
        words = telling(words)
    return " ".join(word for word in words if rng.random() >= _LOST_WORD_RATE) or text


def corpus_texts(seed: int) -> Iterator[str]:
    """Yield the texts that the vocabulary is made of."""
    for pair in islice(lessons(seed), 20_000):
        yield pair.question
        yield pair.answer


def _config(tokenizer: PreTrainedTokenizerFast) -> LlamaConfig:
    return LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=192,
        intermediate_size=512,
        num_hidden_layers=4,
        num_attention_heads=6,
        num_key_value_heads=6,
        max_position_embeddings=CONTEXT_TOKENS,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )


def _fit(
    model: Any,
    tokenizer: PreTrainedTokenizerFast,
    seed: int,
    steps: int,
    progress: Progress | None,
) -> None:
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=_PEAK_RATE, betas=(0.9, 0.98), weight_decay=0.1
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, steps))
    model.train()
    for step, (tokens, weights) in enumerate(islice(_batches(tokenizer, seed), steps), start=1):
        logits = model(input_ids=tokens[:, :-1]).logits
        losses = functional.cross_entropy(
            logits.flatten(0, 1), tokens[:, 1:].flatten(), reduction="none"
        )
        wanted = weights[:, 1:].flatten()
        loss = (losses * wanted).sum() / wanted.sum()
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if progress:
            progress(step, steps, loss.item())


def _rate(step: int, steps: int) -> float:
    """Return the learning rate's share of its peak: a linear rise, then half a cosine."""
    if step < _WARMUP_STEPS:
        return (step + 1) / _WARMUP_STEPS
    return 0.5 + 0.5 * math.cos(math.pi * (step - _WARMUP_STEPS) / max(1, steps - _WARMUP_STEPS))


def _batches(
    tokenizer: PreTrainedTokenizerFast, seed: int
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yield tokens and their weights in the loss; texts of like length share a batch."""
    rng = Random(f"batches {seed}")
    source = lessons(seed)
    while True:
        pool = [encode(tokenizer, pair) for pair in islice(source, BATCH * _POOL)]
        pool.sort(key=lambda item: len(item[0]))
        batches = [pool[at : at + BATCH] for at in range(0, len(pool), BATCH)]
        rng.shuffle(batches)
        for batch in batches:
            yield _padded(batch, tokenizer.pad_token_id)


def encode(tokenizer: PreTrainedTokenizerFast, pair: Pair) -> tuple[list[int], list[float]]:
    """Return the tokens of ``pair`` as one conversation, and the weight of each in the loss."""
    asked = tokenizer(f"{CUSTOMER}{pair.question}{BANK}").input_ids
    answered = tokenizer(f"{pair.answer}{END}").input_ids
    return asked + answered, [_QUESTION_WEIGHT] * len(asked) + [1.0] * len(answered)


def _padded(
    batch: Sequence[tuple[list[int], list[float]]], pad: int
) -> tuple[torch.Tensor, torch.Tensor]:
    longest = max(len(tokens) for tokens, _ in batch)
    tokens = torch.full((len(batch), longest), pad)
    weights = torch.zeros(len(batch), longest)
    for row, (item, weight) in enumerate(batch):
        tokens[row, : len(item)] = torch.tensor(item)
        weights[row, : len(weight)] = torch.tensor(weight)
    return tokens, weights
