"""Requests outside the scope, told by examples."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from infra.eval.outofscope import evaluate
from schemas.errors import ConfigError

CARDS = (
    "my card is lost",
    "I lost my card",
    "the card was stolen",
    "block my bank card",
    "a new card",
)
LOANS = (
    "I want a loan",
    "how high is the rate of a loan",
    "repay my loan",
    "a loan for a car",
    "loans",
)
OTHER = ("play some jazz", "will it rain tomorrow", "who won the match", "tell me a joke")


def write(path: Path, rows: list[tuple[str, str, str]]) -> Path:
    """Write rows of text, label and split."""
    fields = ("text", "label", "split")
    lines = [json.dumps(dict(zip(fields, row, strict=True))) for row in rows]
    path.write_text("\n".join(lines))
    return path


@pytest.mark.engine
def test_other_matters_are_farther(tmp_path: Path) -> None:
    """What has nothing to do with the topics ranks above what has; rare rates are not guessed."""
    known = [(text, "card", "train") for text in CARDS] + [
        (text, "loan", "train") for text in LOANS
    ]
    asked = [(f"please, {text}", "card", "test") for text in CARDS + LOANS]
    data = write(tmp_path / "d.jsonl", [*known, *asked, *((t, "oos", "test") for t in OTHER)])
    found = evaluate(data, data, tmp_path / "p.svg")
    assert (found["n_examples"], found["n_in_scope"], found["n_out_of_scope"]) == (10, 10, 4)
    assert found["auc"] > 0.9
    assert found["recall_at_fpr_0.01"] is None
    assert found["latency_ms"]["batch_1"]["p50"] > 0
    assert (tmp_path / "p.svg").read_text().startswith("<svg")


def test_needs_both_kinds(tmp_path: Path) -> None:
    """Rows of one kind alone cannot be told apart."""
    data = write(tmp_path / "d.jsonl", [(text, "card", "train") for text in CARDS + LOANS])
    with pytest.raises(ConfigError, match="oos"):
        evaluate(data, data)
