"""Streams with and without drift are drawn as they are said to be, and judged."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from infra.eval.drift import evaluate as evaluation
from infra.eval.drift.evaluate import Measured, evaluate
from infra.eval.drift.kinds import GRADUAL, KINDS, LEAD, LOCAL, OOS, SUDDEN, events, reference_rows
from infra.eval.drift.pools import Pools
from tests.monitors.drift.places import TOPICS, texts, usual

USUAL, OTHER, UNKNOWN = 1500, 300, 40


def pools() -> Pools:
    """Return made-up pools of a bank with twenty intents and of ten others."""
    reference, streamed = usual(1500, 1), usual(USUAL, 2)
    other = TOPICS + usual(OTHER, 3) % 10
    unknown = TOPICS + 10 + usual(UNKNOWN, 4) % 10
    return Pools(
        reference=texts(reference, 5),
        intents=np.array([f"intent {topic}" for topic in reference]),
        texts=texts(np.concatenate([streamed, other, unknown]), 6),
        labels=streamed,
        names=tuple(f"intent {topic}" for topic in range(TOPICS)),
        usual=USUAL,
        other=OTHER,
        unknown=UNKNOWN,
    )


def drawn(kind: str | None, steps: int, sticky: float = 0.0) -> np.ndarray[tuple[int, int]]:
    """Return the first events after the lead of thirty streams, shape (steps, 30)."""
    stream = events(pools(), kind, 30, np.random.default_rng(7), sticky)
    return np.array(list(islice(stream, LEAD, LEAD + steps)))


@pytest.mark.parametrize(
    ("kind", "late_share"), [(None, 0.0), (SUDDEN, 1.0), (GRADUAL, 0.25), (OOS, 0.1), (LOCAL, 0.0)]
)
def test_shares_of_drifted_events_are_as_stated(kind: str | None, late_share: float) -> None:
    """A thousand events into the drift, so many events are none of the usual."""
    outside = (drawn(kind, 1100)[900:] >= USUAL).mean()
    assert outside == pytest.approx(late_share, abs=0.03)


def test_one_intent_grows_in_a_local_drift() -> None:
    """In every stream some intent has about a fifth of the events besides its own share."""
    labels = pools().labels[drawn(LOCAL, 600)]
    largest = [np.bincount(labels[:, stream]).max() / 600 for stream in range(30)]
    assert np.mean(largest) == pytest.approx(0.19 + 0.81 / TOPICS, abs=0.03)


def test_sticky_streams_keep_the_intent() -> None:
    """The next event has the same intent as often as asked for, besides by chance."""
    labels = pools().labels[drawn(None, 500, sticky=0.6)]
    assert (labels[1:] == labels[:-1]).mean() == pytest.approx(0.6 + 0.4 / TOPICS, abs=0.03)


def test_a_sticky_reference_repeats_intents_but_no_text() -> None:
    """References are in the order of time and hold each text once."""
    source = pools()
    rows = reference_rows(source, 800, np.random.default_rng(8), sticky=0.6)
    assert len(set(rows.tolist())) == 800
    intents = source.intents[rows]
    assert 0.5 < (intents[1:] == intents[:-1]).mean() < 0.75


def test_runs_without_alarm_count_with_what_they_had() -> None:
    """The run length is the events seen by the alarms raised; a missed drift costs 3,000."""
    measured = Measured(np.array([[10, 30], [0, 20]]), most=100)
    assert measured.average_run_length()["mean"] == pytest.approx(160 / 3, abs=0.1)
    assert measured.misses == 1
    assert measured.delay()["mean"] == pytest.approx((10 + 30 + 3000 + 20) / 4)


def test_the_whole_judgement(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It states run length, delays, misses, times and sizes, and that a restart changes nothing."""
    monkeypatch.setattr(evaluation, "read_pools", lambda *_: pools())
    found, _ = evaluate(
        tmp_path,
        tmp_path,
        lambda *_: None,
        arl=200,
        streams=8,
        sticky=0.0,
        part="report",
    )
    assert 50 < found["arl0"] < 800
    assert found["arl_target"] == 200
    assert set(found["delays"]) == set(found["misses"]) == set(KINDS)
    assert found["delays"][SUDDEN]["mean"] < 10
    assert found["restored_alarms_identical"]
    assert found["alarms_compared"] > 0
    assert found["state_bytes"] < 2000
    told = found["told"]
    assert told["events_without_drift"] == 2 * 10_000
    assert told["false_detections"]["one in 10,000,000"] == 0
    assert told["delays"][SUDDEN]["mean"] < 30
    assert told["misses"][SUDDEN] == 0
