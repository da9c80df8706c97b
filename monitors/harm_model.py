"""A small network over a sentence embedding that says how likely answering does harm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load_file, save_file

Floats = npt.NDArray[np.float32]

_FILE = "harm.safetensors"


@dataclass(frozen=True)
class HarmModel:
    """One hidden layer; linear above it.

    Args:
        inner: What a vector is multiplied with, shape (width, hidden).
        bias: Added to that, shape (hidden,); negative sums count as zero.
        outer: What each hidden sum adds to the log odds, shape (hidden,).
        offset: The log odds of nothing.
        threshold: The chance from which on the guard should speak.
    """

    inner: Floats
    bias: Floats
    outer: Floats
    offset: float
    threshold: float

    @property
    def version(self) -> str:
        """Return the digest of the weights."""
        rest = np.array([self.offset, self.threshold], np.float32)
        parts = (self.inner, self.bias, self.outer, rest)
        return sha256(b"".join(part.tobytes() for part in parts)).hexdigest()[:12]

    def odds(self, vectors: Floats) -> Floats:
        """Return the log odds for unit vectors, shape (texts, width)."""
        hidden = np.maximum(vectors @ self.inner + self.bias, 0)
        odds: Floats = hidden @ self.outer + np.float32(self.offset)
        return odds

    def chance(self, vectors: Floats) -> Floats:
        """Return the calibrated probability for unit vectors, shape (texts, width)."""
        chances: Floats = (0.5 + 0.5 * np.tanh(self.odds(vectors) / 2)).astype(np.float32)
        return chances


def joined(models: Sequence[HarmModel]) -> HarmModel:
    """Return one model whose log odds are the mean of those of ``models``."""
    return HarmModel(
        inner=np.hstack([model.inner for model in models]),
        bias=np.hstack([model.bias for model in models]),
        outer=np.hstack([model.outer for model in models]) / np.float32(len(models)),
        offset=sum(model.offset for model in models) / len(models),
        threshold=models[0].threshold,
    )


def saved_harm_model(model: HarmModel, folder: Path) -> HarmModel:
    """Write ``model`` into ``folder``; return what is read there, large tables less precise."""
    tensors: dict[str, npt.NDArray[Any]] = {
        "inner": model.inner.astype(np.float16),
        "bias": model.bias,
        "outer": model.outer,
        "rest": np.array([model.offset, model.threshold], np.float32),
    }
    save_file(tensors, folder / _FILE)
    return load_harm_model(folder)


def load_harm_model(folder: Path) -> HarmModel:
    """Return the model that :func:`saved_harm_model` wrote into ``folder``."""
    found = load_file(folder / _FILE)
    offset, threshold = found["rest"].tolist()
    return HarmModel(
        found["inner"].astype(np.float32), found["bias"], found["outer"], offset, threshold
    )


@cache
def shipped_harm_model() -> HarmModel:
    """Return the model that ships with Tidegate."""
    return load_harm_model(Path(str(files("monitors").joinpath("weights", "tidegate-harm"))))
