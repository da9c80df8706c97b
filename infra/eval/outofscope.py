"""How well requests outside the scope are told from those inside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel

from inference.embeddings import NAME, Embedder
from infra.eval.binary import by_length, latencies_ms, rate
from infra.eval.picture import draw
from infra.eval.ranking import Flags, auc, bootstrap, recall_at
from infra.eval.rows import read_rows
from monitors.scope import Scope
from monitors.scope_model import FEWEST, fit_scope
from schemas.errors import ConfigError

OUT = "oos"
_RATES = (0.05, 0.01, 0.001)
_FEWEST_FALSE = 5
"""False positives that must be expected for a threshold to be more than chance."""


class Request(BaseModel):
    """A request, its topic or ``oos``, and the part of the data it belongs to."""

    text: str
    label: str
    split: str = ""


def evaluate(data: Path, reference: Path, picture: Path | None = None) -> dict[str, Any]:
    """Return how well the rows of ``data`` are told apart by examples out of ``reference``.

    Args:
        data: Rows to judge on: all but those with the text of an example or of the split ``train``.
        reference: Rows to take the examples from: those in scope whose split is ``train``, or all
            in scope where no split is called so.
        picture: Where to draw it, if it is to be drawn.

    Raises:
        ConfigError: If a file cannot be used.
    """
    examples = _examples(reference)
    known = {row.text for row in examples}
    rows = [r for r in read_rows(data, Request) if r.text not in known and r.split != "train"]
    out = np.array([row.label == OUT for row in rows], np.bool_)
    if not out.any() or out.all():
        raise ConfigError(f"needs rows in scope and rows labelled {OUT!r}", file=str(data))
    embedder = Embedder(kept=0)
    vectors = embedder.embed([row.text for row in examples])
    model = fit_scope(vectors, [row.label for row in examples])
    texts = [row.text for row in rows]
    seen = embedder.embed(texts)
    far = model.distance(seen).astype(np.float64)
    scores = model.score(seen)
    flagged = scores >= Scope.threshold
    if picture is not None:
        hits = {
            "in scope, flagged": (int((flagged & ~out).sum()), int((~out).sum())),
            "out of scope, flagged": (int((flagged & out).sum()), int(out.sum())),
        }
        draw(picture, f"out of scope ({NAME})", scores.astype(np.float64), out, hits)
    recalls = {f"recall_at_fpr_{share}": _recall_at(far, out, share) for share in _RATES}
    return {
        "task": "outofscope",
        "model": NAME,
        "n": len(rows),
        "n_in_scope": int((~out).sum()),
        "n_out_of_scope": int(out.sum()),
        "n_examples": len(examples),
        "n_topics": len({row.label for row in examples}),
        "auc": round(auc(far, out), 4),
        **{name: found["rate"] if found else None for name, found in recalls.items()},
        "ci95": {
            "auc": bootstrap(auc, far, out),
            **{name: found["ci95"] if found else None for name, found in recalls.items()},
        },
        "at_the_guards_threshold": {
            "threshold": Scope.threshold,
            "in_scope_flagged": rate(int((flagged & ~out).sum()), int((~out).sum())),
            "out_of_scope_flagged": rate(int((flagged & out).sum()), int(out.sum())),
        },
        "by_length": by_length([len(text) for text in texts], far, out),
        "latency_ms": latencies_ms(
            lambda some: model.score(embedder.embed([texts[i] for i in some])), len(texts)
        ),
    }


def _recall_at(far: npt.NDArray[np.float64], out: Flags, share: float) -> dict[str, Any] | None:
    """Return the recall at a rate of false positives; None of too few rows to tell it."""
    if share * int((~out).sum()) < _FEWEST_FALSE:
        return None
    return rate(recall_at(far, out, share)[1], int(out.sum()))


def _examples(reference: Path) -> list[Request]:
    inside = [row for row in read_rows(reference, Request) if row.label != OUT]
    examples = [row for row in inside if row.split == "train"] or inside
    if len(examples) < FEWEST:
        raise ConfigError(f"holds fewer than {FEWEST} rows in scope", file=str(reference))
    return examples
