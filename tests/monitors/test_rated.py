"""How good answers are, by ratings and without them."""

from __future__ import annotations

from collections.abc import Iterator
from math import log

import numpy as np
import orjson
import pytest

from monitors.rated import RECENT_MAX, AnswerQuality
from schemas.watching import Observation
from tests.monitors.observations import Stream
from tests.monitors.watching import told, values


def answered(
    count: int,
    *,
    sure: float = 0.9,
    rated: float = 1.0,
    off: float = 0.0,
    seed: int = 0,
    stream: Stream | None = None,
) -> Iterator[Observation]:
    """Yield answers and their ratings, and a tick after every tenth.

    Args:
        count: How many answers.
        sure: How sure the model is on average; an answer is good that often.
        rated: The share of answers that people rate.
        off: By how much fewer are good than the model is sure of.
        seed: Decides everything.
        stream: Where they come from.
    """
    rng = np.random.default_rng(seed)
    stream = stream or Stream("bank")
    for number in range(count):
        confidence = float(np.clip(rng.normal(sure, 0.1), 0.05, 0.99))
        request_id = f"r{seed}.{number}"
        yield stream.after(1).response(request_id, mean_logprob=log(confidence))
        good = rng.random() < confidence - off
        if rng.random() < rated:
            yield stream.rated(request_id, int(rng.choice([4, 5] if good else [1, 2])))
        if number % 10 == 9:
            yield stream.tick()


@pytest.mark.parametrize("rated", [0.0, 0.1])
def test_answers_as_good_as_at_first_raise_nothing(rated: float) -> None:
    """Over several stretches, with few ratings or none after the first."""
    stream = Stream("bank")
    first = answered(250, stream=stream)
    later = answered(2500, rated=rated, seed=1, stream=stream)
    assert told(AnswerQuality(stretch=1000), [*first, *later]) == []


def test_a_model_that_becomes_unsure_is_told_without_a_rating() -> None:
    """And its end, once a stretch does not show it any more."""
    stream = Stream("bank")
    observations = [
        *answered(250, stream=stream),
        *answered(1000, sure=0.4, rated=0.0, seed=1, stream=stream),
        *answered(2500, rated=0.0, seed=2, stream=stream),
    ]
    begun, ended = told(AnswerQuality(stretch=1000), observations)
    assert (begun.kind, ended.kind) == ("detection", "recovery")
    assert begun.value < 0.7
    assert "0 of them rated" in begun.cause
    assert begun.baseline == pytest.approx(0.88, abs=0.05)


def test_a_model_that_is_wrong_and_sure_is_told_by_ratings_alone() -> None:
    """Its confidence says nothing, so that without ratings nothing is told."""
    stream = Stream("bank")
    first = list(answered(250, stream=stream))
    rated = answered(1500, off=0.5, rated=0.4, seed=1, stream=stream)
    (found,) = told(AnswerQuality(), [*first, *rated])
    assert found.kind == "detection"
    stream = Stream("bank")
    first = list(answered(250, stream=stream))
    unrated = answered(1500, off=0.5, rated=0.0, seed=1, stream=stream)
    assert told(AnswerQuality(), [*first, *unrated]) == []


def test_shares_are_stated_as_estimated_and_as_rated() -> None:
    """Once a minute, with how many answers and ratings they are of."""
    stream = Stream("bank")
    observations = [
        *answered(250, stream=stream),
        *answered(500, rated=0.2, seed=1, stream=stream),
        stream.after(60).tick(),
    ]
    *_, estimated, rated = values(AnswerQuality(), observations)
    assert (estimated.metric, rated.metric) == ("good_rate_estimated", "good_rate_as_rated")
    assert estimated.samples > 3 * rated.samples > 0
    assert estimated.value == pytest.approx(0.88, abs=0.05)


def test_middling_ratings_and_those_of_unknown_answers_teach_nothing() -> None:
    """A three is neither; a rating of an answer long gone says nothing of confidence."""
    stream, monitor = Stream("bank"), AnswerQuality(warmup=10)
    for number in range(100):
        monitor.observe(stream.after(1).response(f"r{number}", mean_logprob=-0.1))
        monitor.observe(stream.rated(f"r{number}", 3))
        monitor.observe(stream.rated(f"elsewhere{number}", 5))
        monitor.observe(stream.rated(f"r{number}", None))
    assert values(monitor, [stream.after(60).tick()]) == []


def test_answers_that_are_never_rated_are_forgotten() -> None:
    """What is remembered of them has a bound."""
    stream, monitor = Stream("bank"), AnswerQuality()
    for number in range(3 * RECENT_MAX):
        monitor.observe(stream.response(f"{number:036}", mean_logprob=-0.1))
    assert len(orjson.dumps(monitor.snapshot())) < 30_000
