"""Made-up embeddings for tests: unit vectors around the places of topics."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

TOPICS = 20
WIDTH = 48


def texts(topics: npt.NDArray[np.intp], seed: int) -> Floats:
    """Return one unit vector per text about the topic of that number, shape (texts, 48)."""
    places = np.random.default_rng(99).normal(size=(2 * TOPICS, WIDTH))
    noise = np.random.default_rng(seed).normal(size=(len(topics), WIDTH))
    rows = places[topics] + 0.7 * noise
    unit: Floats = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit


def usual(many: int, seed: int) -> npt.NDArray[np.intp]:
    """Return topics as they usually come: twenty of them, all alike."""
    return np.random.default_rng(seed).integers(0, TOPICS, many)


def sticky(many: int, seed: int) -> npt.NDArray[np.intp]:
    """Return topics of which each is that of the event before in six cases of ten."""
    rng = np.random.default_rng(seed)
    topics = usual(many, seed)
    for number in range(1, many):
        if rng.random() < 0.6:
            topics[number] = topics[number - 1]
    return topics
