"""The embeddings that guards read, without the cost of loading them where none does."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


def embedded(texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """Return a unit vector per text; the model is loaded when the first guard asks for one.

    Raises:
        ConfigError: If the package with its weights is not installed.
    """
    from inference.embeddings import shipped_embedder

    return shipped_embedder().embed(texts)
