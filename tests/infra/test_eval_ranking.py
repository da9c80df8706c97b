"""Measures of ranking agree with what can be counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from infra.eval.ranking import (
    auc,
    best_f1_threshold,
    bootstrap,
    calibration_error,
    f1_and_balanced_accuracy,
    recall_at,
)

SCORES = np.array([0.1, 0.2, 0.3, 0.7, 0.8, 0.9])
POSITIVE = np.array([False, False, True, False, True, True])


def test_auc_is_the_share_of_pairs_in_order() -> None:
    """Of nine pairs of a positive and a negative, eight are in order."""
    assert auc(SCORES, POSITIVE) == pytest.approx(8 / 9)


def test_recall_is_taken_above_the_negatives_quantile() -> None:
    """With no negative above the threshold, two of three positives are."""
    threshold, found = recall_at(SCORES, POSITIVE, 0.0)
    assert threshold == pytest.approx(0.7)
    assert found == 2


def test_the_best_threshold_for_f1_is_found() -> None:
    """Calling everything from 0.3 on positive has three hits and one error."""
    threshold = best_f1_threshold(SCORES, POSITIVE)
    f1, balanced = f1_and_balanced_accuracy(threshold <= SCORES, POSITIVE)
    assert threshold == 0.3
    assert f1 == pytest.approx(6 / 7)
    assert balanced == pytest.approx(5 / 6)


def test_intervals_hold_the_estimate_and_repeat() -> None:
    """The same rows give the same interval, around the figure itself."""
    low, high = bootstrap(auc, SCORES, POSITIVE)
    assert low <= 8 / 9 <= high
    assert (low, high) == bootstrap(auc, SCORES, POSITIVE)


def test_honest_chances_are_calibrated() -> None:
    """Half of what is called even happens: no error; called certain: half."""
    happened = np.array([True, False] * 50)
    assert calibration_error(np.full(100, 0.5), happened, bins=1) == 0
    assert calibration_error(np.ones(100), happened, bins=1) == pytest.approx(0.5)
