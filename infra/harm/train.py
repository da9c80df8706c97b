"""Make the model of harm that ships: sentences, fit, calibration, and the card."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from infra.eval.harm import Row
from infra.eval.ranking import Flags
from infra.eval.rows import read_rows
from infra.eval.split import half
from infra.fitting.logistic import fit_logistic
from infra.harm.corpus import Sentence, everyday, sentences
from monitors.harm import Harm
from monitors.harm_model import HarmModel, joined, saved_harm_model

Floats = npt.NDArray[np.float32]
Embed = Callable[[Sequence[str]], Floats]

SENTENCES = 16_000
EVERYDAY = 4_000
SPEAKS_FROM = 0.95
"""It blocks, so of what it speaks about at most one in twenty should be harmless."""
_NETWORKS = 3
_HIDDEN = 128
_EPOCHS = 12
_BATCH = 128
_RATE = 3e-3
_DECAY = 1e-3
_LOST_RATE = 0.3
_NOISE = 0.02


def train_harm(folder: Path, data: Path, embed: Embed, seed: int = 0) -> HarmModel:
    """Fit the model, save it in ``folder`` with its card and return it; takes minutes.

    It is fitted on sentences written by grammar alone. What its sums mean as a probability, and
    from which on the guard speaks, is read off the fit half of ``data``, which it did not see.

    Args:
        folder: Where weights and card go.
        data: Rows of ``text`` and ``label``, ``safe`` or ``unsafe``.
        embed: Turns texts into unit vectors.
        seed: The same seed, the same weights.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = [*islice(sentences(seed), SENTENCES), *islice(everyday(seed), EVERYDAY)]
    rows = [row for row in read_rows(data, Row) if half(row.text) == "fit"]
    model = fit(embed([one.text for one in written]), written, seed)
    unsafe = np.array([row.label == "unsafe" for row in rows], np.bool_)
    model = calibrated(model, embed([row.text for row in rows]), unsafe)
    model = saved_harm_model(model, folder)
    _write_card(folder, Harm(embed, model), len(rows))
    return model


def fit(vectors: Floats, written: Sequence[Sentence], seed: int) -> HarmModel:
    """Return the mean of several networks, each fitted on all sentences from another start."""
    unsafe = np.array([one.unsafe for one in written], np.float32)
    return joined([_network(vectors, unsafe, seed * _NETWORKS + n) for n in range(_NETWORKS)])


def calibrated(model: HarmModel, vectors: Floats, unsafe: Flags) -> HarmModel:
    """Return ``model`` with its log odds scaled, and its threshold chosen, on rows it has not seen.

    None of the harmless rows reaches the threshold.
    """
    odds = model.odds(vectors).astype(np.float64)
    columns = np.stack([odds, np.ones(len(odds))], axis=1)
    labels = unsafe.astype(np.float64)
    slope, offset = fit_logistic(columns, labels, 1.0, balance=False).tolist()
    scaled = replace(
        model,
        outer=model.outer * np.float32(slope),
        offset=model.offset * slope + offset,
    )
    calm = scaled.chance(vectors[~unsafe])
    return replace(scaled, threshold=max(SPEAKS_FROM, min(0.99, float(calm.max()) + 1e-3)))


def _network(vectors: Floats, unsafe: Floats, seed: int) -> HarmModel:
    torch.manual_seed(seed)
    inner = torch.nn.Linear(vectors.shape[1], _HIDDEN)
    outer = torch.nn.Linear(_HIDDEN, 1)
    parameters = [*inner.parameters(), *outer.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=_RATE, weight_decay=_DECAY)
    rows, wanted = torch.from_numpy(vectors), torch.from_numpy(unsafe)
    batches = len(rows) // _BATCH
    for step in range(_EPOCHS * batches):
        if step % batches == 0:
            order = torch.randperm(len(rows))
        for group in optimizer.param_groups:
            group["lr"] = _RATE * (1 - step / (_EPOCHS * batches))
        chosen = order[step % batches * _BATCH :][:_BATCH]
        noisy = rows[chosen] + _NOISE * torch.randn(len(chosen), rows.shape[1])
        hidden = functional.dropout(functional.relu(inner(noisy)), _LOST_RATE)
        loss = functional.binary_cross_entropy_with_logits(outer(hidden)[:, 0], wanted[chosen])
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
    return HarmModel(
        inner=inner.weight.detach().numpy().T.copy(),
        bias=inner.bias.detach().numpy().copy(),
        outer=outer.weight.detach().numpy()[0].copy(),
        offset=float(outer.bias.detach()),
        threshold=0.5,
    )


def _write_card(folder: Path, guard: Harm, rows: int) -> None:
    (folder / "README.md").write_text(
        f"""\
# tidegate-harm

Three small networks over the sentence embeddings of all-MiniLM-L6-v2 that say how likely answering
a request does harm: violence, weapons, damage, theft, fraud, drugs, self-harm, abuse, hatred,
malware, spying. Version {guard.version}; it speaks from a chance of {guard.threshold:.3f} on.

Fitted by `tidegate train harm` on {SENTENCES:,} sentences made by the grammar in `infra/harm/`,
which was written for Tidegate: half do harm, half are harmless requests in the same words
(homonyms, figures of speech, harmless targets, games and films, definitions, history, absurd
questions, public and invented people); and on {EVERYDAY:,} everyday requests. What its sums mean as
a probability, and its threshold, were read off {rows} requests of XSTest (CC-BY-4.0) that it was
not fitted on, the fit half of `harm.jsonl`. English only. Apache-2.0.

Judge it on your own requests with `tidegate eval harm --data FILE`; for other data than these, the
threshold is a policy's to choose.
"""
    )
