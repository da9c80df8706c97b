"""Levels of drift are stated against the first requests of a version; they never alert."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from monitors.drift_levels import DriftLevels
from schemas.watching import Finding, Observation
from tests.monitors.observations import Stream
from tests.monitors.watching import values

SOON = 150


def answers(
    stream: Stream, many: int, seed: int, topic: str = "", mean: float = 20
) -> list[Observation]:
    """Return answers of some length, about topics of a few or about the given one."""
    rng = np.random.default_rng(seed)
    return [
        stream.after(1).response(
            f"{seed}-{number}",
            tokens=int(rng.poisson(mean)) + 1,
            topic=topic or f"t{rng.integers(4)}",
        )
        for number in range(many)
    ]


def stated(findings: Sequence[Finding], series: str) -> list[Finding]:
    """Return the findings about one series."""
    return [finding for finding in findings if finding.segment == {"series": series}]


def last(
    monitor: DriftLevels, observations: Sequence[Observation], stream: Stream
) -> list[Finding]:
    """Return what is stated after the observations at the next tick that is due."""
    values(monitor, observations)
    return values(monitor, [stream.after(31).tick()])


def test_nothing_is_stated_while_it_learns() -> None:
    """Before enough is known there is no level."""
    stream, monitor = Stream(), DriftLevels(warmup=200)
    assert last(monitor, answers(stream, 199, 1), stream) == []


def test_steady_answers_stay_below_the_limit() -> None:
    """Each series has a level below 1, and no cause."""
    stream, monitor = Stream(), DriftLevels(warmup=200)
    told = last(monitor, answers(stream, 200 + SOON, 2), stream)
    assert {finding.segment["series"] for finding in told} == {"answer_tokens", "outcome", "topic"}
    assert all(0 <= finding.value < 1 and not finding.cause for finding in told)
    assert all(finding.limit == 1 and finding.samples == SOON for finding in told)


def test_longer_answers_and_a_topic_that_grows_are_told() -> None:
    """The finding says what moved, against which version, and shows requests."""
    stream, monitor = Stream(), DriftLevels(warmup=200)
    told = last(monitor, answers(stream, 200, 3) + answers(stream, SOON, 4, "t3", 40), stream)
    (tokens,), (topic,) = stated(told, "answer_tokens"), stated(told, "topic")
    assert tokens.value > 1
    assert "higher than it was in reference 1, the first 200 of version 1" in tokens.cause
    assert "topic: grown: t3" in topic.cause
    assert topic.exemplars


def test_another_version_is_another_beginning() -> None:
    """What is usual is learned anew when a new version of the deployment answers."""
    stream, monitor = Stream(), DriftLevels(warmup=200)
    values(monitor, answers(stream, 250, 5))
    promoted = []
    for one in answers(stream, 250, 6, mean=60):
        assert one.response is not None
        assert one.response.served is not None
        served = one.response.served.model_copy(update={"deployment_version": "2"})
        response = one.response.model_copy(update={"served": served})
        promoted.append(one.model_copy(update={"response": response}))
    (tokens,) = stated(last(monitor, promoted, stream), "answer_tokens")
    assert tokens.value < 1


def test_a_conversation_counts_once() -> None:
    """Later events of a conversation add nothing."""
    stream, monitor = Stream(), DriftLevels(warmup=200)
    talk = []
    for one in answers(stream, 300, 7):
        assert one.response is not None
        assert one.response.served is not None
        served = one.response.served.model_copy(update={"conversation_id": "c1"})
        response = one.response.model_copy(update={"served": served})
        talk.append(one.model_copy(update={"response": response}))
    assert last(monitor, talk, stream) == []
