"""A linear model over the words of one or several texts and numbers that describe them."""

from __future__ import annotations

import math
import re
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load_file, save_file

Floats = npt.NDArray[np.float32]

BUCKETS = 8192
_WORD = re.compile(r"[a-z']+|\d+|[^\w\s]")
READ_CHARS = 4000
"""Where a longer text is cut off."""


@dataclass(frozen=True)
class Reading:
    """What the model reads.

    Args:
        texts: Texts that belong together, like a question and its answer.
        numbers: What describes them, shape (numbers,).
    """

    texts: tuple[str, ...]
    numbers: Floats


@dataclass(frozen=True)
class TextModel:
    """What each hashed word and each number adds to the log odds.

    Args:
        idf: How rare a bucket is, shape (8192,).
        table: What a bucket adds, shape (8192,).
        dense: What each number adds, shape (numbers,).
        bias: The log odds of nothing.
        threshold: The chance from which on a guard should speak.
    """

    idf: Floats
    table: Floats
    dense: Floats
    bias: float
    threshold: float

    @property
    def version(self) -> str:
        """Return the digest of the weights."""
        parts = (self.idf, self.table, self.dense, np.array([self.bias, self.threshold]))
        return sha256(b"".join(part.tobytes() for part in parts)).hexdigest()[:12]

    def chance(self, reading: Reading) -> float:
        """Return the calibrated probability."""
        buckets, values = weighed(reading.texts, self.idf)
        odds = self.bias + float(values @ self.table[buckets])
        return 0.5 + 0.5 * math.tanh((odds + float(reading.numbers @ self.dense)) / 2)


def counted(texts: Sequence[str]) -> list[Counter[int]]:
    """Return how often each bucket occurs in each text; the same word differs between texts."""
    found = []
    for place, text in enumerate(texts):
        words = _WORD.findall(text[:READ_CHARS].lower())
        words = ["0" if word.isdigit() else word for word in words]
        terms = [*words, *(f"{a} {b}" for a, b in pairwise(words))]
        found.append(Counter(zlib.crc32(f"{place}:{term}".encode()) % BUCKETS for term in terms))
    return found


def weighed(texts: Sequence[str], idf: Floats) -> tuple[npt.NDArray[np.int_], Floats]:
    """Return buckets and values of texts, each text of length one."""
    buckets: list[int] = []
    values: list[Floats] = []
    for counts in counted(texts):
        if counts:
            places = list(counts)
            row = (1 + np.log(np.array(list(counts.values()), np.float32))) * idf[places]
            buckets += places
            values.append(row / np.float32(max(1e-6, float(np.linalg.norm(row)))))
    empty = np.zeros(0, np.float32)
    return np.array(buckets, np.int_), np.concatenate(values) if values else empty


def saved_text_model(model: TextModel, file: Path) -> TextModel:
    """Write ``model`` into ``file``, tables in half precision; return what is read from there."""
    save_file(
        {
            "idf": model.idf.astype(np.float16),
            "table": model.table.astype(np.float16),
            "dense": model.dense,
            "rest": np.array([model.bias, model.threshold], np.float32),
        },
        file,
    )
    return load_text_model(file)


def load_text_model(file: Path) -> TextModel:
    """Return the model that :func:`saved_text_model` wrote."""
    found = load_file(file)
    bias, threshold = found["rest"].tolist()
    return TextModel(
        found["idf"].astype(np.float32),
        found["table"].astype(np.float32),
        found["dense"],
        bias,
        threshold,
    )
