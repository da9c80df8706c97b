"""The embedding detector keeps its run length, finds drift, and survives restarts."""

from __future__ import annotations

from functools import cache

import numpy as np
import orjson
import pytest

from monitors.drift.detector import FEWEST, Alarm
from monitors.drift.embedding import MIX, STRANGE, EmbeddingDrift, EmbeddingReference
from monitors.drift.fitting import fit_embeddings
from tests.monitors.drift.places import TOPICS, Floats, sticky, texts, usual


@cache
def reference(arl: float = 300) -> EmbeddingReference:
    """Return a reference of a thousand texts."""
    topics = usual(1000, 1)
    return fit_embeddings(texts(topics, 2), arl, topics=[f"topic {topic}" for topic in topics])


def alarms(detector: EmbeddingDrift, vectors: Floats) -> list[tuple[int, Alarm]]:
    """Return the alarms, each with the number of its text, counted from 1."""
    told = [(number, detector.update(vector)) for number, vector in enumerate(vectors, 1)]
    return [(number, alarm) for number, alarm in told if alarm]


def test_false_alarms_come_about_as_rarely_as_stated() -> None:
    """Over thirty thousand fresh texts like the reference, the run length is within a half."""
    told = alarms(EmbeddingDrift(reference()), texts(usual(30_000, 3), 4))
    assert 200 < 30_000 / len(told) < 450


def test_texts_unlike_the_reference_are_found_within_few() -> None:
    """Topics that the reference never had are seen as strange."""
    detector = EmbeddingDrift(reference())
    number, alarm = alarms(detector, texts(usual(50, 5) + TOPICS, 6))[0]
    assert number <= 5
    assert alarm.chart == STRANGE


def test_a_topic_that_takes_over_is_named_first() -> None:
    """One topic of a third of the texts is found, and it heads what has grown."""
    topics = usual(400, 7)
    topics[::3] = 11
    number, alarm = alarms(EmbeddingDrift(reference()), texts(topics, 8))[0]
    assert number < 150
    assert alarm.chart == MIX
    assert alarm.grown[0] == "topic 11"


def test_a_restart_changes_nothing() -> None:
    """Restored from its snapshot as JSON at any text, it raises the same alarms."""
    vectors = texts(np.concatenate([usual(900, 9), usual(100, 10) + TOPICS]), 11)
    straight = alarms(EmbeddingDrift(reference()), vectors)
    detector, restarted = EmbeddingDrift(reference()), []
    for number, vector in enumerate(vectors, 1):
        stored = orjson.dumps(detector.snapshot())
        assert len(stored) < 2000
        detector = EmbeddingDrift(reference())
        detector.restore(orjson.loads(stored))
        alarm = detector.update(vector)
        restarted += [(number, alarm)] if alarm else []
    assert restarted == straight != []


def test_one_text_is_seen_as_in_a_batch() -> None:
    """The fast way for one text and the way for many see the same."""
    space, vectors = reference().space, texts(usual(50, 12), 13)
    together = space.features(vectors)
    for number, vector in enumerate(vectors):
        mix, strange = space.features_of_one(vector)
        np.testing.assert_allclose(mix, together.mix[number], atol=1e-5)
        np.testing.assert_allclose(strange, together.strange[number], atol=1e-4)


def test_independent_texts_are_promised() -> None:
    """Where events do not depend on each other, the stated run length is promised."""
    promise = reference().promise
    assert promise.kept
    assert promise.block == 1
    assert abs(promise.correlation) < 0.02


def test_texts_that_hang_together_are_not_promised() -> None:
    """Where the next text mostly keeps the topic, it says that it cannot promise, and why."""
    fitted = fit_embeddings(texts(sticky(1000, 14), 15), 300)
    assert not fitted.promise.kept
    assert "one event per conversation" in fitted.promise.reason
    assert fitted.promise.block > 1
    assert fitted.limits[0] > reference().limits[0]


def test_a_short_reference_is_not_promised() -> None:
    """A few hundred texts do not carry a run length of thousands."""
    fitted = fit_embeddings(texts(usual(200, 16), 17), 2000)
    assert "too few" in fitted.promise.reason


def test_a_handful_of_texts_is_refused() -> None:
    """Below a hundred texts there is nothing to fit."""
    with pytest.raises(ValueError, match="at least 100"):
        fit_embeddings(texts(usual(FEWEST - 1, 18), 19), 300)


def test_the_same_rows_make_the_same_reference() -> None:
    """Calibration draws from a seed of its own."""
    again = fit_embeddings(texts(usual(1000, 1), 2), 300)
    assert again.limits == reference().limits


def test_one_and_the_same_text_is_a_reference_too() -> None:
    """It raises no alarm as long as it comes, and one as soon as another does."""
    same, other = np.repeat(texts(usual(1, 30), 31), 300, axis=0), texts(usual(3, 32), 33)
    detector = EmbeddingDrift(fit_embeddings(same, 500))
    assert alarms(detector, same) == []
    assert alarms(detector, other)[0][0] == 1
