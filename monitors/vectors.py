"""Vectors on the wire: base64 of little-endian float16."""

from __future__ import annotations

from base64 import b64decode, b64encode

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


def packed(vector: Floats) -> str:
    """Return a vector, shape (width,), as text; components keep three decimal digits.

    >>> packed(np.array([1.0, 0.5], np.float32))
    'ADwAOA=='
    """
    return b64encode(vector.astype("<f2").tobytes()).decode()


def unpacked(text: str) -> Floats:
    """Return the vector that :func:`packed` made ``text`` of, shape (width,), as float32.

    Raises:
        ValueError: If ``text`` is none.

    >>> unpacked("ADwAOA==").tolist()
    [1.0, 0.5]
    """
    return np.frombuffer(b64decode(text, validate=True), "<f2").astype(np.float32)
