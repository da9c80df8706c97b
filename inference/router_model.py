"""The linear model that reads topic and difficulty out of a question."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors import safe_open
from safetensors.numpy import save_file

from inference.bank.topic import OTHER
from inference.features import features

Floats = npt.NDArray[np.float32]

_FILE = "router.safetensors"


@dataclass(frozen=True)
class Reading:
    """What a text is about and how hard it is to answer.

    Args:
        topic: One of the bank's topics, or ``other``.
        confidence: How sure the model is of the topic, 0 to 1.
        difficulty: The calibrated probability that the text wants more than a fact.
    """

    topic: str
    confidence: float
    difficulty: float


@dataclass(frozen=True)
class RouterModel:
    """One row of weights per feature; the last column is difficulty, the others are topics.

    Args:
        topics: What the columns stand for, ``other`` among them.
        weights: Shape (buckets, topics + 1).
        bias: Shape (topics + 1,).
        scale: Slope and offset that make a probability of the difficulty column.
        floor: A topic less likely than this is ``other``.
        quantiles: The difficulty of the reference traffic, in ascending order, evenly spaced.
    """

    topics: tuple[str, ...]
    weights: Floats
    bias: Floats
    scale: tuple[float, float]
    floor: float
    quantiles: Floats

    def read(self, text: str) -> Reading:
        """Return what ``text`` is about; the same text gives the same reading."""
        scores = self.scores(features(text))
        odds = np.exp(scores[:-1] - scores[:-1].max())
        best = int(odds.argmax())
        confidence = float(odds[best] / odds.sum())
        topic = self.topics[best] if confidence >= self.floor else OTHER
        slope, offset = self.scale
        return Reading(topic, confidence, _logistic(slope * float(scores[-1]) + offset))

    def scores(self, buckets: Sequence[int]) -> Floats:
        """Return the unnormalised score of each column."""
        total: Floats = self.weights.take(buckets, axis=0).sum(axis=0)
        return total / np.float32(math.sqrt(len(buckets))) + self.bias

    def rank(self, difficulty: float) -> float:
        """Return the share of the reference traffic that is easier than ``difficulty``."""
        return float(np.searchsorted(self.quantiles, difficulty) / len(self.quantiles))


def save_router(model: RouterModel, folder: Path) -> None:
    """Write ``model`` into ``folder``; weights take half precision there."""
    save_file(
        {
            "weights": model.weights.astype(np.float16),
            "bias": model.bias,
            "scale": np.array(model.scale, np.float32),
            "floor": np.array([model.floor], np.float32),
            "quantiles": model.quantiles,
        },
        folder / _FILE,
        metadata={"topics": json.dumps(model.topics)},
    )


def load_router(folder: Path) -> RouterModel:
    """Return the model that :func:`save_router` wrote into ``folder``."""
    with safe_open(folder / _FILE, framework="numpy") as file:
        slope, offset = file.get_tensor("scale").tolist()
        return RouterModel(
            topics=tuple(json.loads(file.metadata()["topics"])),
            weights=file.get_tensor("weights").astype(np.float32),
            bias=file.get_tensor("bias"),
            scale=(slope, offset),
            floor=float(file.get_tensor("floor")[0]),
            quantiles=file.get_tensor("quantiles"),
        )


@cache
def shipped_router() -> RouterModel:
    """Return the model that ships with Tidegate."""
    return load_router(Path(str(files("inference").joinpath("weights", "tidegate-router"))))


def _logistic(score: float) -> float:
    return 0.5 + 0.5 * math.tanh(0.5 * score)
