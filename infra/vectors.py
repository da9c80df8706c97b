"""Sentence embeddings of whole data sets, kept on disk by the digest of the texts."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

Floats = npt.NDArray[np.float32]
_PART = 500


def vectors_of(texts: Sequence[str], cache: Path, show: Callable[[int, int], None]) -> Floats:
    """Return one unit vector per text, shape (texts, 384); read at most once per cache folder.

    Args:
        texts: What to read.
        cache: Where the vectors are kept, in ``embeddings/``.
        show: Is told how many texts are read, of how many.

    Raises:
        ConfigError: If the package with the model's weights is not installed.
    """
    from inference.embeddings import NAME, Embedder

    digest = hashlib.sha256("\0".join((NAME, *texts)).encode("utf-8", "replace")).hexdigest()
    path = cache / "embeddings" / f"{digest}.safetensors"
    try:
        return load_file(path)["vectors"]
    except (OSError, SafetensorError):  # not there, or cut off: read the texts again
        pass
    embedder = Embedder(kept=0)
    parts = []
    for start in range(0, len(texts), _PART):
        parts.append(embedder.embed(texts[start : start + _PART]))
        show(min(len(texts), start + _PART), len(texts))
    vectors = np.concatenate(parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(f".{os.getpid()}")
    save_file({"vectors": vectors}, unfinished)
    unfinished.replace(path)
    return vectors
