"""Values for what takes in something else than observations, made up, and what takes them in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import cache

import numpy as np

from monitors.bbq import Question
from monitors.drift.embedding import EmbeddingDrift, EmbeddingReference
from monitors.drift.fitting import fit_embeddings
from monitors.drift.run_lengths import Floats
from monitors.quality import Calibration, EstimatedQuality
from monitors.vectors import packed
from schemas.base import Origin
from schemas.embeddings import TextEmbedded
from schemas.verdicts import Direction

_WIDTH = 384
_TOPICS = 20
_REFERENCE = 1000
_ARL = 500.0


def answers(many: int) -> Iterator[tuple[Question, str]]:
    """Yield questions of two categories, and answers to them."""
    choices = ("The elder", "The younger", "Not known")
    for number, choice in enumerate(np.random.default_rng(0).integers(0, 3, many).tolist()):
        question = Question(
            category=("Age", "Origin")[number % 2],
            ambiguous=number % 4 < 2,
            negative=number % 8 < 4,
            answers=choices,
            groups=("old", "young", "unknown"),
            stereotyped=frozenset({"old"}),
        )
        yield question, choices[choice]


def confidences(many: int) -> list[float]:
    """Return confidences, each as likely as any other."""
    found: list[float] = np.random.default_rng(0).random(many).tolist()
    return found


def estimated_quality() -> EstimatedQuality:
    """Return one whose calibration has fifty steps."""
    levels = tuple(number / 50 for number in range(51))
    return EstimatedQuality(Calibration(confidences=levels, chances=levels, spread=0.05))


def embeddings(many: int, seed: int = 1) -> Floats:
    """Return unit vectors around twenty topics, shape (many, 384)."""
    centres = np.random.default_rng(0).normal(0, 1, (_TOPICS, _WIDTH))
    rng = np.random.default_rng(seed)
    rows = centres[rng.integers(0, _TOPICS, many)] + rng.normal(0, 1, (many, _WIDTH))
    found: Floats = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return found


def embedded(
    origin: Origin, at: datetime, deployment: str, request_id: str, vector: Floats
) -> TextEmbedded:
    """Return a prompt with this vector, shape (width,)."""
    return TextEmbedded(
        event_id=origin.cause("embedded"),
        occurred_at=at,
        request_id=request_id,
        workspace="default",
        deployment=deployment,
        deployment_version="1",
        requested_at=at,
        direction=Direction.PROMPT,
        topic="card",
        text_sha256="0" * 64,
        model="m",
        vector=packed(vector),
        share=1.0,
        latency_ms=10.0,
        origin=origin,
    )


def embedding_drift() -> EmbeddingDrift:
    """Return one with a reference of a thousand vectors."""
    return EmbeddingDrift(_reference())


@cache
def _reference() -> EmbeddingReference:
    return fit_embeddings(embeddings(_REFERENCE, seed=2), _ARL)
