"""Answers held against the passages that came with the request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from monitors.guard import Context, Cost, Scan
from monitors.spans import bounded
from monitors.support import Embed, Floats, features, missing_values, sentences, source
from schemas.verdicts import Action, Direction, Span

_FILE = "support.safetensors"


@dataclass(frozen=True)
class SupportModel:
    """What each trait of a sentence adds to the log odds that it is unsupported.

    Args:
        weights: One per name in :data:`monitors.support.FEATURES`.
        bias: The log odds of nothing.
    """

    weights: Floats
    bias: float

    @property
    def version(self) -> str:
        """Return the digest of the weights."""
        return sha256(self.weights.tobytes() + np.float32(self.bias).tobytes()).hexdigest()[:12]

    def chance(self, rows: Floats) -> Floats:
        """Return the calibrated probability for sentences, shape (sentences, traits)."""
        odds = rows @ self.weights + np.float32(self.bias)
        chances: Floats = (0.5 + 0.5 * np.tanh(odds / 2)).astype(np.float32)
        return chances


class Groundedness:
    """Flag answers that say what the passages do not.

    Each sentence is held against the passages' sentences: how near their embeddings lie, which
    share of its words they have, whether one denies and the other does not; and its numbers, names
    and dates exactly. One that neither passages nor conversation have is marked by its own span,
    another unsupported sentence by that of the whole sentence. The score is that of the worst
    sentence. A sentence that asks something is no claim. It was fitted on made-up facts
    (``tidegate train groundedness``), and its card says how it does on kinds it did not see.

    Args:
        embed: Turns texts into unit vectors, as ``all-MiniLM-L6-v2`` does.
        model: What weighs the traits; by default what ships with Tidegate.
    """

    name = "groundedness"
    cost = Cost.EMBEDDING
    optional = True
    needs_passages = True
    directions: tuple[Direction, ...] = (Direction.ANSWER,)
    action = Action.FLAG
    threshold = 0.5

    def __init__(self, embed: Embed, model: SupportModel | None = None) -> None:
        self._embed = embed
        self._model = model or shipped_support_model()
        self.version = f"1-{self._model.version}"

    def scan(self, texts: Sequence[str]) -> list[Scan]:
        """Return one scan per answer of which no passage is known: nothing in it is supported."""
        return self.scan_in_context(texts, [Context("")] * len(texts))

    def scan_in_context(self, texts: Sequence[str], contexts: Sequence[Context]) -> list[Scan]:
        """Return one scan per answer, in order."""
        return [self._scan(text, context) for text, context in zip(texts, contexts, strict=True)]

    def _scan(self, text: str, context: Context) -> Scan:
        said = [one for one in sentences(text) if not one.text.endswith("?")]
        if not said:
            return Scan(0.0, len(text))
        known = source(context.passages, f"{context.prompt}\n{context.question}", self._embed)
        vectors = self._embed([one.text for one in said])
        rows = [features(one, vector, known) for one, vector in zip(said, vectors, strict=True)]
        chances = self._model.chance(np.stack(rows)).tolist()
        spans: list[Span] = []
        for one, chance in zip(said, chances, strict=True):
            if chance >= self.threshold:
                end = one.start + len(one.text)
                whole = Span(start=one.start, end=end, label="UNSUPPORTED")
                spans += missing_values(one, known) or [whole]
        return Scan(max(chances), len(text), bounded(spans, "UNSUPPORTED"))


def saved_support_model(model: SupportModel, folder: Path) -> SupportModel:
    """Write ``model`` into ``folder``; return what is read there."""
    tensors = {"weights": model.weights, "bias": np.array([model.bias], np.float32)}
    save_file(tensors, folder / _FILE)
    return load_support_model(folder)


def load_support_model(folder: Path) -> SupportModel:
    """Return the model that :func:`saved_support_model` wrote into ``folder``."""
    found = load_file(folder / _FILE)
    return SupportModel(found["weights"], float(found["bias"][0]))


@cache
def shipped_support_model() -> SupportModel:
    """Return the model that ships with Tidegate."""
    folder = files("monitors").joinpath("weights", "tidegate-groundedness")
    return load_support_model(Path(str(folder)))
