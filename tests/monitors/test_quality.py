"""Quality that is estimated."""

from __future__ import annotations

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors.quality import Calibration, EstimatedQuality, fit_calibration

CALIBRATION = Calibration(confidences=(0.0, 1.0), chances=(0.2, 1.0), spread=0.05)


def asked(quality: EstimatedQuality, events: int, labels: int, off: float = 0.0) -> float:
    """Show answers of random confidence, some with labels; return how many were right.

    Args:
        quality: Who is shown them.
        events: How many answers.
        labels: How many of them, the first ones, have a label.
        off: What the chance of being right is below its calibration.
    """
    rng = np.random.default_rng(1)
    hits = 0
    for number, confidence in enumerate(rng.random(events).tolist()):
        right = bool(rng.random() < CALIBRATION.chance(confidence) - off)
        hits += right
        quality.observe(confidence)
        if number < labels:
            quality.label(confidence, right)
    return hits / events


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans(), st.sampled_from("ab")), min_size=1))
def test_chances_rise_with_confidence(examples: list[tuple[float, bool, str]]) -> None:
    """Whatever the examples, more confidence is worth as much or more; the mean is kept."""
    confidences, right, groups = zip(*examples, strict=True)
    found = fit_calibration(confidences, right, groups)
    assert list(found.chances) == sorted(found.chances)
    assert list(found.confidences) == sorted(found.confidences)
    assert 0 <= found.chances[0] <= found.chances[-1] <= 1
    assert found.spread >= 0


def test_groups_that_are_harder_than_they_look_show_in_the_spread() -> None:
    """The same confidence, right nine times in ten in one group and half the time in the other."""
    right = [*([True] * 90 + [False] * 10), *([True] * 50 + [False] * 50)]
    alike = fit_calibration([0.5] * 200, right, ["all"] * 200)
    apart = fit_calibration([0.5] * 200, right, ["easy"] * 100 + ["hard"] * 100)
    assert alike.spread == 0
    assert apart.spread == pytest.approx(0.2, abs=0.03)


def test_without_an_example_there_is_no_calibration() -> None:
    """It says so."""
    with pytest.raises(ValueError, match="no example"):
        fit_calibration([], [], [])


def test_no_label_is_needed_while_the_calibration_holds() -> None:
    """The estimate is near the truth, the interval around it."""
    quality = EstimatedQuality(CALIBRATION)
    truth = asked(quality, 3000, labels=0)
    found = quality.estimate()
    assert found.value == pytest.approx(truth, abs=0.02)
    assert found.interval[0] < truth < found.interval[1]
    assert (found.answers, found.labels) == (3000, 0)


def test_labels_correct_a_calibration_that_is_off() -> None:
    """Without them the estimate is as wrong as the calibration; with them it is not."""
    blind, taught = EstimatedQuality(CALIBRATION), EstimatedQuality(CALIBRATION)
    truth = asked(blind, 5000, labels=0, off=0.15)
    asked(taught, 5000, labels=400, off=0.15)
    assert blind.estimate().value - truth > 0.12
    assert not blind.estimate().interval[0] < truth < blind.estimate().interval[1]
    assert taught.estimate().value == pytest.approx(truth, abs=0.04)
    assert taught.estimate().interval[0] < truth < taught.estimate().interval[1]


def test_nothing_is_known_of_nothing() -> None:
    """Before the first answer the interval is everything."""
    assert EstimatedQuality(CALIBRATION).estimate().interval == (0.0, 1.0)


def test_parts_add_up_and_a_restart_changes_nothing() -> None:
    """Two parts of a stream, merged and through JSON, estimate as much as the whole."""
    whole, part = EstimatedQuality(CALIBRATION), EstimatedQuality(CALIBRATION)
    asked(whole, 400, labels=50)
    asked(whole, 400, labels=50)
    asked(part, 400, labels=50)
    kept = orjson.dumps(part.snapshot())
    copy = EstimatedQuality(CALIBRATION)
    copy.restore(orjson.loads(kept))
    part.merge(copy)
    assert part.estimate().value == pytest.approx(whole.estimate().value, abs=1e-3)
    assert part.estimate().labels == whole.estimate().labels == 100
    assert len(kept) < 200
