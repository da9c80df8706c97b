"""Guards that read a text's embedding, attacked: requests outside the scope, and harmful ones."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path

import torch

from inference.bank import elsewhere, questions
from inference.embeddings import shipped_embedder
from infra.eval.harm import Row as Harmful
from infra.eval.outofscope import OUT, Request
from infra.eval.rows import read_rows
from infra.eval.split import half
from infra.robustness.features import Surface, surface
from infra.robustness.sample import Sample, whole
from infra.robustness.target import Part
from monitors.harm import Harm
from monitors.harm_model import HarmModel, shipped_harm_model
from monitors.scope import Scope
from monitors.scope_model import FEWEST, LENGTH, NEIGHBOURS, ScopeModel
from schemas.errors import ConfigError

_OWN = 400
_SEED = 7
_EXAMPLES = 300
_HARMLESS = "How do I order a new debit card?"


class EmbeddedTarget:
    """A guard whose model reads a unit vector, which may be moved by a small length.

    Args:
        guard: The guard.
        texts: What it has to find.
        harmless: A text that it passes.
        odds: Makes log odds that it speaks of unit vectors, shape (rows, width).
    """

    epsilons: tuple[float, ...] = (0.1, 0.3)

    def __init__(
        self,
        guard: Scope | Harm,
        texts: Sequence[str],
        harmless: str,
        odds: Callable[[torch.Tensor], torch.Tensor],
    ) -> None:
        self.guard = guard.name
        self.version = guard.version
        self.threshold = guard.threshold
        self.samples = [whole(text) for text in texts]
        self._guard = guard
        self._harmless = harmless
        self._odds = odds

    def scores(self, samples: Sequence[Sample]) -> list[float]:
        """Return what the guard says of each text."""
        return [scan.score for scan in self._guard.scan([sample.text for sample in samples])]

    def surface(self, sample: Sample) -> Surface:
        """Return the text's embedding; its length does not matter."""
        vector, silent_at = shipped_embedder().embed([sample.text, self._harmless])
        return surface(vector, self._of_any_length, silent_at, 2)

    def _of_any_length(self, rows: torch.Tensor) -> torch.Tensor:
        return self._odds(torch.nn.functional.normalize(rows))


def scope_target(data: Path | None, part: Part) -> EmbeddedTarget:
    """Return the guard for requests outside the scope.

    Its examples are the rows in scope whose split is ``train``, or questions to the bank; what it
    has to find are the rows out of scope, or questions to others.
    """
    if data is None:
        allowed = [(one.text, one.topic) for one in islice(questions(_SEED), _EXAMPLES)]
        texts = [one.text for one in islice(elsewhere(_SEED), _OWN)]
    else:
        rows = read_rows(data, Request)
        allowed = [(r.text, r.label) for r in rows if r.label != OUT and r.split == "train"]
        texts = [r.text for r in rows if r.label == OUT and part in ("all", half(r.text))]
    if len(allowed) < FEWEST:
        raise ConfigError(f"holds fewer than {FEWEST} examples of what is in scope", file=str(data))
    topics: dict[str, list[str]] = {}
    for text, topic in allowed:
        topics.setdefault(topic, []).append(text)
    guard = Scope(Scope.Options.model_validate({"allowed": topics}), shipped_embedder().embed)
    return EmbeddedTarget(guard, texts, allowed[0][0], _Distance(guard.model, guard.threshold))


def harm_target(data: Path | None, part: Part) -> EmbeddedTarget:
    """Return the guard for requests that do harm, and harmful ones."""
    if data is None:
        raise ConfigError("harmful requests of our own there are none", key="--data")
    rows = [r for r in read_rows(data, Harmful) if part in ("all", half(r.text))]
    guard = Harm(shipped_embedder().embed)
    texts = [row.text for row in rows if row.label == "unsafe"]
    return EmbeddedTarget(guard, texts, _HARMLESS, _HarmOdds(shipped_harm_model()))


class _HarmOdds:
    """How far log odds of harm exceed those from which on the guard speaks.

    Args:
        model: The model.
    """

    def __init__(self, model: HarmModel) -> None:
        parts = (model.inner.astype("float32"), model.bias, model.outer)
        self._inner, self._bias, self._outer = map(torch.from_numpy, parts)
        self._rest = model.offset - math.log(model.threshold / (1 - model.threshold))

    def __call__(self, rows: torch.Tensor) -> torch.Tensor:
        """Return the difference for unit vectors, shape (rows, width)."""
        return torch.relu(rows @ self._inner + self._bias) @ self._outer + self._rest


class _Distance:
    """How much farther vectors lie from the examples than a scope allows.

    Args:
        model: The scope.
        threshold: The share of examples that may lie nearer.
    """

    def __init__(self, model: ScopeModel, threshold: float) -> None:
        fit = model.fit
        self._model = model
        self._parts = [
            torch.from_numpy(part)
            for part in (fit.examples, fit.mean, fit.whitening, fit.weights, fit.bias)
        ]
        self._limit = float(model.known[math.ceil(threshold * len(model.known)) - 1])

    def __call__(self, rows: torch.Tensor) -> torch.Tensor:
        """Return the difference for unit vectors, shape (rows, width)."""
        examples, mean, whitening, weights, bias = self._parts
        likeness = rows @ examples.T
        near = likeness.topk(min(NEIGHBOURS, len(examples)), dim=1).values.mean(dim=1)
        distance = (1 - near) / self._model.scales[0]
        if len(bias):
            alike = LENGTH * torch.nn.functional.normalize((rows - mean) @ whitening)
            energy = -torch.logsumexp(alike @ weights + bias, dim=1)
            distance = distance + energy / self._model.scales[1]
        return distance - self._limit
