"""How well requests outside the scope are told from those inside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel

from inference.embeddings import NAME, shipped_embedder
from infra.eval.intervals import wilson
from infra.eval.ranking import auc, bootstrap, recall_at
from infra.eval.rows import read_rows
from monitors.scope import Scope
from monitors.scope_model import FEWEST, fit_scope
from schemas.errors import ConfigError

OUT = "oos"
_RATE = 0.05


class Request(BaseModel):
    """A request, its topic or ``oos``, and the part of the data it belongs to."""

    text: str
    label: str
    split: str = ""


def evaluate(data: Path, reference: Path) -> dict[str, Any]:
    """Return how well the rows of ``data`` are told apart by examples out of ``reference``.

    Args:
        data: Rows to judge on: all but those with the text of an example or of the split ``train``.
        reference: Rows to take the examples from: those in scope whose split is ``train``, or all
            in scope where no split is called so.

    Raises:
        ConfigError: If a file cannot be used.
    """
    examples = _examples(reference)
    known = {row.text for row in examples}
    rows = [r for r in read_rows(data, Request) if r.text not in known and r.split != "train"]
    out = np.array([row.label == OUT for row in rows], np.bool_)
    if not out.any() or out.all():
        raise ConfigError(f"needs rows in scope and rows labelled {OUT!r}", file=str(data))
    embedder = shipped_embedder()
    vectors = embedder.embed([row.text for row in examples])
    model = fit_scope(vectors, [row.label for row in examples])
    seen = embedder.embed([row.text for row in rows])
    far = model.distance(seen).astype(np.float64)
    flagged = model.score(seen) >= Scope.threshold
    _, found = recall_at(far, out, _RATE)
    return {
        "task": "outofscope",
        "model": NAME,
        "n": len(rows),
        "n_in_scope": int((~out).sum()),
        "n_out_of_scope": int(out.sum()),
        "n_examples": len(examples),
        "n_topics": len({row.label for row in examples}),
        "auc": round(auc(far, out), 4),
        "recall_at_fpr_0.05": round(found / int(out.sum()), 4),
        "ci95": {
            "auc": bootstrap(auc, far, out),
            "recall_at_fpr_0.05": bootstrap(_recall, far, out),
        },
        "at_the_guards_threshold": {
            "threshold": Scope.threshold,
            "in_scope_flagged": _rate(int((flagged & ~out).sum()), int((~out).sum())),
            "out_of_scope_flagged": _rate(int((flagged & out).sum()), int(out.sum())),
        },
    }


def _recall(far: np.ndarray[Any, Any], out: np.ndarray[Any, Any]) -> float:
    """Return the recall at 5 % false positives, its threshold chosen on the same rows."""
    if out.all() or not out.any():
        return float("nan")
    return recall_at(far, out, _RATE)[1] / int(out.sum())


def _rate(hits: int, n: int) -> dict[str, Any]:
    return {"rate": round(hits / n, 4), "n": n, "ci95": wilson(hits, n)}


def _examples(reference: Path) -> list[Request]:
    inside = [row for row in read_rows(reference, Request) if row.label != OUT]
    examples = [row for row in inside if row.split == "train"] or inside
    if len(examples) < FEWEST:
        raise ConfigError(f"holds fewer than {FEWEST} rows in scope", file=str(reference))
    return examples
