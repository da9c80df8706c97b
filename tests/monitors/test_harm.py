"""Requests that do harm, and those that only sound like it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from monitors.harm import Harm
from monitors.harm_model import Floats, HarmModel, joined, saved_harm_model, shipped_harm_model

MODEL = HarmModel(
    inner=np.array([[4, -4], [0, 0]], np.float32),
    bias=np.zeros(2, np.float32),
    outer=np.array([1, -1], np.float32),
    offset=0.0,
    threshold=0.9,
)


def embed(texts: Sequence[str]) -> Floats:
    """Return a vector along the first axis for texts that speak of a bomb, else against it."""
    rows = [[1, 0] if "bomb" in text else [-1, 0] for text in texts]
    return np.array(rows, np.float32).reshape(-1, 2)


def test_the_worst_piece_of_a_long_text_counts() -> None:
    """A harmful request is found wherever in a text it stands; an empty text has none."""
    guard = Harm(embed, MODEL)
    padding = "nothing of interest " * 200
    calm, early, late, empty = guard.scan([padding, f"bomb {padding}", f"{padding} bomb", " "])
    assert calm.score < 0.1 < guard.threshold < early.score == late.score
    assert empty.score == 0.0
    assert late.scanned_chars == len(padding) + 5


def test_odds_of_joined_models_are_their_mean() -> None:
    """Several networks speak as one."""
    vectors = embed(["bomb", "cake"])
    other = replace(MODEL, offset=3.0, outer=MODEL.outer * 2)
    mean = (MODEL.odds(vectors) + other.odds(vectors)) / 2
    assert np.allclose(joined([MODEL, other]).odds(vectors), mean)


def test_what_is_saved_is_read_again(tmp_path: Path) -> None:
    """Weights survive the file, less some precision, and the version is that of what is read."""
    read = saved_harm_model(MODEL, tmp_path)
    assert np.allclose(read.chance(embed(["bomb"])), MODEL.chance(embed(["bomb"])), atol=1e-3)
    assert read.version == saved_harm_model(read, tmp_path).version


def test_the_shipped_model_is_small_and_speaks_on_good_grounds() -> None:
    """Its file is far below a megabyte and its threshold at least one half."""
    model = shipped_harm_model()
    assert model.inner.size < 500_000
    assert 0.5 <= model.threshold < 1
