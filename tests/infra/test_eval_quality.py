"""``tidegate eval quality``."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from click.testing import CliRunner

from infra.cli import tidegate
from infra.eval.intent_model import fit_intents
from infra.eval.quality import FILES, LABELS, evaluate

WORDS = ("card", "cash", "fee", "limit", "loan", "pin", "rate", "swap", "tax", "visa")


def written(folder: Path) -> Path:
    """Write two small files of questions, each about half of the words, and return the folder."""
    rng = np.random.default_rng(0)
    for name, known in zip(FILES, (WORDS[:5], WORDS[5:]), strict=True):
        rows = []
        for number in range(300):
            label = known[number % 5]
            about = label if rng.random() < 0.7 else str(rng.choice(known))
            rows.append({"text": f"what about my {about} number {number}", "label": label})
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def test_examples_are_classified_as_they_were_labelled() -> None:
    """And a text with nothing in it gets an answer too, of which the model is not sure."""
    texts = [f"{word} please" for word in WORDS] * 3
    model = fit_intents(texts, list(WORDS) * 3)
    said, confidences = model.classify([*WORDS, ""])
    assert said[:-1] == list(WORDS)
    assert confidences[-1] == min(confidences)


def test_every_way_to_know_has_an_error_and_every_shift_its_streams(tmp_path: Path) -> None:
    """One stream of each file, shift and strength; the command prints the same, in one line."""
    found = evaluate(written(tmp_path), streams=1)
    assert found["streams"] == sum(shift["streams"] for shift in found["shifts"].values())
    ways = {"no_change", "estimated"}
    for count in LABELS:
        ways |= {f"estimated_{count}_labels", f"labels_alone_{count}"}
    for shift in (found["all"], *found["shifts"].values()):
        assert set(shift["mean_absolute_error"]) == ways
        assert 0 <= shift["interval_held"]["held"]["rate"] <= 1
    told = CliRunner().invoke(
        tidegate, ["eval", "quality", "--data", str(tmp_path), "--streams", "1", "--json"]
    )
    assert told.output == json.dumps(found) + "\n"
