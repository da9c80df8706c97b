"""Drift of numbers and of categories: rare false alarms, quick finds, restarts without effect."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import orjson
import pytest

from monitors.drift.categorical import OTHERS, CategoryDrift, fit_categories
from monitors.drift.detector import Alarm
from monitors.drift.scalar import ScalarDrift, fit_scalar

LANGUAGES = ["en", "de", "fr", "es", "nl"]
SHARES = [0.6, 0.2, 0.1, 0.07, 0.03]

Values = Sequence[Any]


def seconds(many: int, seed: int, factor: float = 1.0, spread: float = 0.6) -> list[float]:
    """Return durations with a long tail."""
    drawn = np.random.default_rng(seed).lognormal(0, spread, many) * factor
    return [float(value) for value in drawn]


def languages(many: int, seed: int, shares: Sequence[float] = SHARES) -> list[str]:
    """Return languages as they come."""
    return [str(name) for name in np.random.default_rng(seed).choice(LANGUAGES, many, p=shares)]


def scalar(arl: float = 300) -> ScalarDrift:
    """Return a detector that knows a thousand durations."""
    return ScalarDrift(fit_scalar(seconds(1000, 1), arl))


def categorical(arl: float = 300) -> CategoryDrift:
    """Return a detector that knows a thousand events' languages."""
    return CategoryDrift(fit_categories(languages(1000, 1), arl))


def alarms(detector: ScalarDrift | CategoryDrift, values: Values) -> list[tuple[int, Alarm]]:
    """Return the alarms, each with the number of its event, counted from 1."""
    told = [(number, detector.update(value)) for number, value in enumerate(values, 1)]
    return [(number, alarm) for number, alarm in told if alarm]


@pytest.mark.parametrize(("build", "draw"), [(scalar, seconds), (categorical, languages)])
def test_false_alarms_come_about_as_rarely_as_stated(
    build: Callable[[], ScalarDrift | CategoryDrift], draw: Callable[[int, int], Values]
) -> None:
    """Over thirty thousand fresh events like the reference, the run length is within a half."""
    told = alarms(build(), draw(30_000, 2))
    assert 200 < 30_000 / len(told) < 450


@pytest.mark.parametrize(
    ("factor", "spread", "move"),
    [(1.6, 0.6, "higher"), (0.6, 0.6, "lower"), (1.0, 1.2, "wider"), (1.0, 0.2, "narrower")],
)
def test_moves_of_numbers_are_told_apart(factor: float, spread: float, move: str) -> None:
    """It says in which way durations have changed, within two hundred events."""
    number, alarm = alarms(scalar(), seconds(200, 3, factor, spread))[0]
    assert number < 120
    assert alarm.chart == move


def test_categories_that_grew_are_named() -> None:
    """A language that comes four times as often is found and stands first."""
    _, alarm = alarms(categorical(), languages(200, 4, [0.4, 0.1, 0.1, 0.28, 0.12]))[0]
    assert alarm.grown[0] in {"es", "nl"}


def test_new_categories_are_seen_together() -> None:
    """What the reference never had counts as others, and one event of it says nothing."""
    detector = categorical()
    assert detector.update("ja") is None
    _, alarm = alarms(detector, ["en", "ko", "en", "zh"] * 50)[0]
    assert alarm.grown[0] == OTHERS


@pytest.mark.parametrize(
    ("build", "values"),
    [
        (scalar, seconds(400, 5) + seconds(50, 6, 3.0)),
        (categorical, languages(400, 5) + ["nl"] * 40),
    ],
)
def test_a_restart_changes_nothing(
    build: Callable[[], ScalarDrift | CategoryDrift], values: Values
) -> None:
    """Restored from its snapshot as JSON at any event, it raises the same alarms."""
    detector, restarted, straight = build(), [], alarms(build(), values)
    assert straight
    for number, value in enumerate(values, 1):
        stored = orjson.dumps(detector.snapshot())
        assert len(stored) < 2000
        detector.restore(orjson.loads(stored))
        alarm = detector.update(value)
        restarted += [(number, alarm)] if alarm else []
    assert restarted == straight


def test_no_single_number_weighs_much() -> None:
    """One value a million times the largest does not make an alarm."""
    assert scalar().update(1e9) is None


def test_a_wandering_number_is_not_promised() -> None:
    """Values that depend on the one before get wider limits, and no promise."""
    noise = np.random.default_rng(7).normal(size=1004)
    wandering = np.convolve(noise, [1.0, 0.8, 0.6, 0.4, 0.2], "valid").tolist()
    fitted = fit_scalar(wandering, 300)
    assert not fitted.chart.promise.kept
    assert fitted.chart.limit > fit_scalar(noise.tolist(), 300).chart.limit


@pytest.mark.parametrize("fit", [fit_scalar, fit_categories])
def test_a_handful_of_events_is_refused(fit: Callable[[Values, float], object]) -> None:
    """Below a hundred events there is nothing to fit."""
    with pytest.raises(ValueError, match="at least 100"):
        fit([1.0] * 99, 300)
