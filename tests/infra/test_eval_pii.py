"""The judge of personal data: what counts as found, and what as right."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from infra.commands.eval import command
from infra.eval.pii import Row, evaluate, judge
from schemas.verdicts import Span

ROW = {
    "text": "Ada Lovelace, 12 Oak Street",
    "template": 1,
    "spans": [
        {"type": "PERSON", "start": 0, "end": 12},
        {"type": "STREET_ADDRESS", "start": 14, "end": 27},
    ],
}
FOLDER = os.environ.get("TIDEGATE_PUBLIC_DATA")


def judged(*spans: Span) -> dict[str, object]:
    """Return the figures of somebody who finds ``spans`` in the one row there is."""
    return judge([Row.model_validate(ROW)], lambda text: spans, {"PERSON", "STREET_ADDRESS"})


def test_whoever_finds_all_has_full_marks() -> None:
    """The labels themselves score one everywhere."""
    figures = judged(
        Span(start=0, end=12, label="PERSON"), Span(start=14, end=27, label="STREET_ADDRESS")
    )
    for name in ("f1_overlap", "f1_exact", "char_recall", "char_precision"):
        assert figures[name] == 1.0


def test_a_part_is_an_overlap_and_no_exact_find() -> None:
    """Half a name overlaps; one of two labels found makes a recall of one half."""
    figures = judged(Span(start=0, end=3, label="PERSON"))
    assert figures["f1_overlap"] == pytest.approx(2 / 3, abs=1e-4)
    assert figures["f1_exact"] == 0.0
    assert figures["char_recall"] == pytest.approx(3 / 25, abs=1e-4)
    assert figures["char_precision"] == 1.0


def test_the_wrong_type_is_wrong_but_its_characters_count() -> None:
    """A name taken for an address is no find of either."""
    figures = judged(Span(start=0, end=12, label="STREET_ADDRESS"))
    assert figures["f1_overlap"] == 0.0
    assert figures["char_precision"] == 1.0


def test_the_command_prints_one_object(tmp_path: Path) -> None:
    """A file of rows gives every key there is to be."""
    file = tmp_path / "rows.jsonl"
    file.write_text(json.dumps(ROW))
    result = CliRunner().invoke(command, ["pii", "--data", str(file), "--json"])
    assert result.exit_code == 0, result.output
    found = json.loads(result.output)
    assert found["n"] == 1
    assert {"f1_overlap", "f1_exact", "char_recall", "char_precision", "by_type"} <= set(found)
    assert {"pattern_types", "ms_per_kb", "ci95"} <= set(found)


@pytest.mark.skipif(FOLDER is None, reason="TIDEGATE_PUBLIC_DATA is not set")
def test_unseen_templates_are_read_well() -> None:
    """On the half of the templates that nothing was fitted on, the figures hold."""
    figures = evaluate(Path(FOLDER or ""), "report")
    assert figures["f1_overlap"] >= 0.75
    assert figures["pattern_types"]["f1_overlap"] >= 0.95
    assert figures["char_recall"] >= 0.88
    assert figures["char_precision"] >= 0.9
