"""Texts as vectors, and a detector that stands where alibi-detect's would."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np

from infra.alibi.fitting import WINDOW, Floats
from monitors.vectors import packed
from schemas.base import Origin, event_id
from schemas.embeddings import TextEmbedded
from schemas.topics import EMBEDDINGS
from schemas.verdicts import Direction

AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
REFERENCE = 60


class Stub:
    """Speaks once the mean of the window, which begins as the reference's, has moved by 0.5."""

    def __init__(self, reference: Floats, seed: int) -> None:
        self.seed = seed
        self._usual: Floats = reference.mean(axis=0)
        self._window: list[Floats] = []
        self.reset_state()

    def score(self, x_t: Floats) -> float:
        """Take in one vector."""
        self.t += 1
        self._window = [*self._window[1:], x_t]
        return float(np.linalg.norm(np.mean(self._window, axis=0) - self._usual))

    def get_threshold(self, t: int) -> float:
        """Return the same at any time."""
        return 0.5

    def reset_state(self) -> None:
        """Begin again."""
        self.t = 0
        self._window = [self._usual] * WINDOW


def text(
    number: int,
    *,
    moved: bool = False,
    direction: Direction = Direction.PROMPT,
    conversation: str | None = None,
    version: str = "v1",
    deployment: str = "bank",
    minute: float | None = None,
) -> TextEmbedded:
    """Return the text of request ``number``; where all are, or ``moved`` away from there."""
    rng = np.random.default_rng(number)
    vector = np.array([1.0, 0.0] if moved else [0.0, 1.0]) + rng.normal(0, 0.01, 2)
    return TextEmbedded.model_validate(
        {
            "event_id": event_id("text", number, direction),
            "occurred_at": AT,
            "request_id": f"r-{number}",
            "workspace": "bank",
            "deployment": deployment,
            "deployment_version": version,
            "conversation_id": conversation,
            "requested_at": AT + timedelta(minutes=number if minute is None else minute),
            "direction": direction,
            "text_sha256": "ab" * 32,
            "model": "small",
            "vector": packed(vector.astype(np.float32)),
            "share": 1,
            "latency_ms": 0,
            "origin": Origin(topic="llm.work.small.v1", partition=0, offset=number),
        }
    )


def place(offset: int) -> Origin:
    """Return where a record of the topic of vectors lies."""
    return Origin(topic=EMBEDDINGS.name, partition=0, offset=offset)
