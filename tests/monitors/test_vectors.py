"""Vectors survive the way over the wire as far as float16 goes."""

from __future__ import annotations

import numpy as np
import pytest

from monitors.vectors import packed, unpacked


def test_a_unit_vector_comes_back_as_it_was() -> None:
    """Of 384 components each is off by less than a thousandth of the largest."""
    vector = np.random.default_rng(0).normal(size=384).astype(np.float32)
    vector /= np.linalg.norm(vector)
    back = unpacked(packed(vector))
    assert back.dtype == np.float32
    assert np.abs(back - vector).max() < 1e-3 * np.abs(vector).max()
    assert len(packed(vector)) == 1024


@pytest.mark.parametrize("text", ["AAAA*", "AAA", "AAAA"])
def test_what_is_no_vector_is_refused(text: str) -> None:
    """Letters outside the alphabet, a missing part and half a component are errors."""
    with pytest.raises(ValueError):  # noqa: PT011 - binascii and numpy word it each their own way
        unpacked(text)
