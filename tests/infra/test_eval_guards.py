"""The judges of harmful requests and made-up answers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from infra.commands.eval import command
from infra.eval.binary import by_length, figures, rates_by
from infra.eval.harm import evaluate
from monitors.harm_model import Floats
from schemas.errors import ConfigError

ANSWERS = [
    {"query": f"What is {n} plus 1?", "response": f"It is {n + 1}.", "label": label}
    for n, label in enumerate(["yes", "no"] * 20)
]


def embed(texts: Sequence[str]) -> Floats:
    """Return vectors that say nothing about their texts."""
    return np.full((len(texts), 384), 384**-0.5, np.float32)


def written(path: Path, rows: list[dict[str, str]]) -> Path:
    """Write ``rows`` into a file and return it."""
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def test_perfect_chances_have_full_marks() -> None:
    """Chances of 0 and 1 that are right score one everywhere, with no error of calibration."""
    positive = np.arange(40) % 2 == 0
    found = figures(positive.astype(np.float64), positive, 0.5)
    for name in ("auc", "pr_auc", "f1", "balanced_accuracy"):
        assert found[name] == 1.0
        assert found["ci95"][name] == (1.0, 1.0)
    assert found["calibration"]["expected_error"] == found["calibration"]["brier"] == 0


def test_rates_are_told_by_kind() -> None:
    """Only the rows that count are counted, each under its kind."""
    said, counted = np.array([True, False, True]), np.array([True, True, False])
    assert rates_by(["a", "a", "b"], said, counted) == {
        "a": {"rate": 0.5, "n": 2, "ci95": (0.0945, 0.9055)}
    }


def test_a_band_of_one_kind_is_left_out() -> None:
    """Where all texts of a length are of one kind, nothing can be ranked."""
    chances, positive = np.array([0.1, 0.9, 0.5]), np.array([False, True, True])
    assert list(by_length([10, 10, 100], chances, positive)) == ["0-64"]


def test_hallucination_is_judged_with_the_question_alone_beside(tmp_path: Path) -> None:
    """The command prints the figures that a user compares, and how the question does alone."""
    path = written(tmp_path / "rows.jsonl", ANSWERS)
    picture = tmp_path / "p.svg"
    result = CliRunner().invoke(
        command,
        ["hallucination", "--data", str(path), "--json", "--picture", str(picture)],
        catch_exceptions=False,
    )
    found = json.loads(result.output)
    assert found["n"] == 40
    assert {"auc", "pr_auc", "f1", "balanced_accuracy"} <= found["ci95"].keys() & found.keys()
    assert {"auc", "gain", "gain_ci95"} == found["query_only"].keys()
    assert found["latency_ms"].keys() == {"batch_1", "batch_32"}
    assert picture.exists()


def test_harm_says_how_many_harmless_requests_it_would_block(tmp_path: Path) -> None:
    """Vectors that say nothing rank at one half, and rates come with number and interval."""
    rows = [{"text": f"text {n}", "label": ("safe", "unsafe")[n % 2]} for n in range(20)]
    found = evaluate(written(tmp_path / "rows.jsonl", rows), embed, picture=tmp_path / "p.svg")
    assert found["auc"] == 0.5
    assert found["safe_blocked"]["n"] == found["unsafe_blocked"]["n"] == 10
    assert (tmp_path / "p.svg").exists()


def test_rows_of_one_kind_are_refused(tmp_path: Path) -> None:
    """Nothing can be said of how two kinds are told apart where there is one."""
    path = written(tmp_path / "rows.jsonl", [{"text": "a", "label": "safe"}])
    with pytest.raises(ConfigError, match="labelled safe and rows"):
        evaluate(path, embed)
