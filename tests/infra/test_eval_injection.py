"""The judge of the guard against injection."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner

from infra.attacks import Example, ordinary, spoken
from infra.attacks.train import Examples
from infra.commands.eval import command
from infra.eval import injection as judge
from monitors.attack_model import AttackModel


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return a file of two sources of attacks and one of harmless texts."""
    rows = [
        *({"text": one.text, "label": "attack", "source": "a"} for one in spoken(1, 30)),
        *({"text": one.text, "label": "attack", "source": "b"} for one in spoken(2, 30)),
        *({"text": one.text, "label": "benign", "source": "c"} for one in ordinary(1, 60)),
    ]
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


@pytest.fixture
def benign(tmp_path: Path) -> Path:
    """Return a file of 500 different harmless texts."""
    texts = {f"{one.text} {number}" for number, one in enumerate(ordinary(5, 500))}
    path = tmp_path / "calm.jsonl"
    path.write_text("\n".join(json.dumps({"prompt": text}) for text in sorted(texts)))
    return path


def test_rates_that_chance_decides_are_null(data: Path, benign: Path) -> None:
    """Recall at a rate is stated only where five false positives are expected at it."""
    few = judge.evaluate([data])
    assert few["recall_at_fpr_0.01"] is None
    many = judge.evaluate([data], [benign])
    assert many["recall_at_fpr_0.01"] > 0.8
    assert many["recall_at_fpr_0.001"] is None
    low, high = many["ci95"]["recall_at_fpr_0.01"]
    assert low <= many["recall_at_fpr_0.01"] <= high


def test_groups_add_up(data: Path, benign: Path) -> None:
    """Sources and bands of length hold every text once."""
    found = judge.evaluate([data], [benign])
    for groups in (found["by_source"], found["by_length"]):
        assert sum(group["n"] for group in groups.values()) == found["n"]
    assert set(found["by_source"]) == {"a", "b", "c", "calm"}
    assert set(found["latency_ms"]) == {"batch_1", "batch_32"}


def test_each_source_is_left_out_in_turn(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A source is judged by a model that saw none of it, on the report half alone."""
    seen: list[set[str]] = []

    class Watching(Examples):
        def model(self, chosen: Sequence[int], seed: int) -> AttackModel:
            seen.append({self.examples[number].source for number in chosen} & {"a", "b", "c"})
            return super().model(chosen, seed)

    monkeypatch.setattr(judge, "written", lambda seed: _few())
    monkeypatch.setattr(judge, "Examples", Watching)
    found = judge.evaluate([data], leave_source_out=True)
    assert list(found["leave_source_out"]) == ["a", "b", "c"]
    assert seen == [{"b", "c"}, {"a", "c"}, {"a", "b"}, {"a", "b", "c"}]
    for figures in (*found["leave_source_out"].values(), found["same_sources"]):
        assert figures["recall_at_fpr_0.01"] is not None
        assert figures["n"] < 120
    assert "attacks" in found["leave_source_out"]["c"]["carried_over"]


def test_the_command_prints_one_object_and_draws(data: Path, tmp_path: Path) -> None:
    """One line of JSON, and a picture where one is asked for."""
    picture = tmp_path / "p.svg"
    arguments = ["injection", "--data", str(data), "--json", "--picture", str(picture)]
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 0, result.output
    assert {"n", "auc", "by_source", "by_length", "calibration"} <= set(json.loads(result.output))
    assert picture.read_text().startswith("<svg")


def _few() -> list[Example]:
    return [*spoken(0, 100), *ordinary(0, 100)]
