"""Fit the router's model on the corpus, the same weights for the same seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from random import Random

import numpy as np
import torch
from torch.nn import functional

from inference.bank import elsewhere, intents, questions
from inference.bank.corpus import HARD_RATE
from inference.bank.topic import OTHER
from inference.features import BUCKETS, features
from inference.router_card import measure, write_card
from inference.router_model import Floats, RouterModel, save_router

BANK_QUESTIONS = 16_000
STRANGE_QUESTIONS = 4_000
FOLDS = 5
UNSURE_RATE = 0.05
_EPOCHS = 6
_BATCH = 128
_RATE = 0.02
_LOST_RATE = 0.25


@dataclass(frozen=True)
class Example:
    """A text in features, with its topic's column; ``hard`` is None where nobody can tell."""

    buckets: list[int]
    topic: int
    hard: bool | None
    phrasing: str


def train_router(folder: Path, seed: int = 0) -> RouterModel:
    """Fit the model, save it in ``folder`` with its card and return it; takes a minute or two.

    The model is the mean of several, each fitted without some of the phrasings. The scale of
    difficulty, its quantiles and the floor of confidence are taken from bank questions scored by
    the one that does not know their phrasing, as it will be with questions of customers.
    """
    topics = (*sorted({intent.topic for intent in intents()}), OTHER)
    examples = _examples(topics, seed)
    weights, bias, scores, held = _cross_fit(examples, len(topics), seed)
    scale = _scale(scores[:, -1], held)
    chances = torch.softmax(scores[:, :-1], -1).amax(-1).numpy()
    difficulty = torch.sigmoid(scale[0] * scores[:, -1] + scale[1]).numpy()
    model = RouterModel(
        topics=topics,
        weights=weights,
        bias=bias,
        scale=scale,
        floor=float(np.quantile(chances, UNSURE_RATE)),
        quantiles=np.quantile(difficulty, np.linspace(0.0, 1.0, 201)).astype(np.float32),
    )
    folder.mkdir(parents=True, exist_ok=True)
    save_router(model, folder)
    write_card(folder, measure(model))
    return model


def _examples(topics: Sequence[str], seed: int) -> list[Example]:
    bank = islice(questions(seed, split="train", hard_rate=HARD_RATE), BANK_QUESTIONS)
    strange = islice(elsewhere(seed, split="train"), STRANGE_QUESTIONS)
    column = {topic: index for index, topic in enumerate(topics)}
    return [
        *(
            Example(features(q.text), column[q.topic], q.difficulty == "hard", q.phrasing)
            for q in bank
        ),
        *(Example(features(q.text), column[OTHER], None, q.phrasing) for q in strange),
    ]


def _cross_fit(
    examples: Sequence[Example], topics: int, seed: int
) -> tuple[Floats, Floats, torch.Tensor, list[Example]]:
    """Return the mean model, and bank examples with their scores by models new to them."""
    phrasings = sorted({example.phrasing for example in examples})
    Random(f"folds {seed}").shuffle(phrasings)
    fold_of = {phrasing: index % FOLDS for index, phrasing in enumerate(phrasings)}
    fits, scores, held = [], [], []
    for fold in range(FOLDS):
        fit = _fit([e for e in examples if fold_of[e.phrasing] != fold], topics, seed)
        out = [e for e in examples if fold_of[e.phrasing] == fold and e.hard is not None]
        table = torch.nn.EmbeddingBag.from_pretrained(torch.from_numpy(fit[0]), mode="sum")
        scores.append(_scores(table, torch.from_numpy(fit[1]), [e.buckets for e in out]))
        fits.append(fit)
        held += out
    weights, bias = (np.mean(part, axis=0) for part in zip(*fits, strict=True))
    return weights, bias, torch.cat(scores), held


def _fit(examples: Sequence[Example], topics: int, seed: int) -> tuple[Floats, Floats]:
    """Return weights and bias; features get lost at random, so that none is relied on alone."""
    torch.manual_seed(seed)
    rng = Random(f"fit {seed}")
    table = torch.nn.EmbeddingBag(BUCKETS, topics + 1, mode="sum")
    torch.nn.init.zeros_(table.weight)
    bias = torch.nn.Parameter(torch.zeros(topics + 1))
    optimizer = torch.optim.Adam([table.weight, bias], lr=_RATE)
    order = list(examples)
    for _ in range(_EPOCHS):
        rng.shuffle(order)
        for at in range(0, len(order), _BATCH):
            batch = order[at : at + _BATCH]
            kept = [[b for b in e.buckets if rng.random() >= _LOST_RATE] for e in batch]
            loss = _loss(_scores(table, bias, kept), batch)
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
    return table.weight.detach().numpy(), bias.detach().numpy()


def _loss(scores: torch.Tensor, batch: Sequence[Example]) -> torch.Tensor:
    wanted = torch.tensor([example.topic for example in batch])
    told = [index for index, example in enumerate(batch) if example.hard is not None]
    hard = torch.tensor([float(bool(batch[index].hard)) for index in told])
    return functional.cross_entropy(
        scores[:, :-1], wanted
    ) + functional.binary_cross_entropy_with_logits(scores[told, -1], hard)


def _scores(
    table: torch.nn.EmbeddingBag, bias: torch.Tensor, buckets: Sequence[Sequence[int]]
) -> torch.Tensor:
    """Return what :meth:`RouterModel.scores` returns, for many texts."""
    counts = torch.tensor([max(1, len(row)) for row in buckets])
    starts = torch.tensor([0, *(len(row) for row in buckets[:-1])]).cumsum(0)
    flat = torch.tensor([bucket for row in buckets for bucket in row], dtype=torch.long)
    total: torch.Tensor = table(flat, starts)
    return total / counts.sqrt().unsqueeze(1) + bias


def _scale(scores: torch.Tensor, held: Sequence[Example]) -> tuple[float, float]:
    """Return slope and offset by which a logistic function makes scores probabilities."""
    hard = torch.tensor([float(bool(example.hard)) for example in held])
    line = torch.tensor([1.0, 0.0], requires_grad=True)
    optimizer = torch.optim.LBFGS([line], max_iter=100, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = functional.binary_cross_entropy_with_logits(line[0] * scores + line[1], hard)
        torch.autograd.backward(loss)
        return loss

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    slope, offset = line.detach().tolist()
    return slope, offset
