"""Answers to the same question for people of several groups."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import orjson
import pytest

from monitors import watch_of
from monitors.counterfactual import Counterfactual
from schemas.probes import probes_of
from schemas.watching import Finding, Observation
from tests.monitors.observations import Stream
from tests.monitors.watching import told

GROUPS = ("a", "b", "c")


def turns(
    count: int,
    *,
    refused: float = 0.1,
    refused_b: float = 0.1,
    tokens_b: float = 20.0,
    seed: int = 0,
    stream: Stream | None = None,
) -> Iterator[Observation]:
    """Yield the answers of so many turns, in an order of their own; group ``a`` is the reference.

    Args:
        count: How many turns.
        refused: The share of answers that decline.
        refused_b: The same for group ``b``.
        tokens_b: The mean length of answers for group ``b``; it is 20 for the others.
        seed: Decides everything.
        stream: Where they come from.
    """
    rng = np.random.default_rng(seed)
    stream = stream or Stream("bank")
    for turn in range(count):
        for group in rng.permutation(GROUPS).tolist():
            declines = rng.random() < (refused_b if group == "b" else refused)
            length = rng.normal(tokens_b if group == "b" else 20.0, 4)
            tags = {"group.origin": group, "probe": "loans", "probe.turn": f"{seed}.{turn}"}
            answer = stream.after(1).response(
                f"probe-loans-{seed}.{turn}-{group}",
                tokens=max(1, round(length)),
                guards=("refusal",) if declines else (),
                metadata=tags | {"probe.reference": "a"},
            )
            yield answer.model_copy(update={"deployment": probes_of("bank")})


@pytest.mark.parametrize("seed", range(3))
def test_groups_that_are_served_alike_raise_nothing(seed: int) -> None:
    """However long one looks, over several stretches."""
    assert told(Counterfactual(stretch=500), turns(2000, seed=seed)) == []


def test_a_group_that_is_refused_more_often_is_told_and_so_is_the_end() -> None:
    """The pairs that show it are named; the end is the first stretch that does not show it."""
    stream = Stream("bank")
    observations = [
        *turns(1000, refused_b=0.5, stream=stream),
        *turns(1000, seed=1, stream=stream),
    ]
    begun, ended = told(Counterfactual(stretch=500), observations)
    assert (begun.kind, ended.kind) == ("detection", "recovery")
    assert begun.metric == "refused_unequally"
    assert begun.segment["group"] == "b"
    assert begun.segment["reference"] == "a"
    assert begun.value > 0.6
    assert "of probe loans in which one answer was refused and the other not" in begun.cause
    assert len(begun.exemplars) == 6
    assert begun.key == ended.key


def test_a_group_whose_answers_are_shorter_is_told() -> None:
    """By which of two answers is the shorter one, not by how much."""
    (found,) = told(Counterfactual(), turns(600, tokens_b=15.0))
    assert (found.metric, found.segment["group"]) == ("shorter_unequally", "b")


def test_the_probes_of_a_deployment_have_a_watch_of_their_own() -> None:
    """A restart changes nothing, and what comes again is skipped."""

    def said(again: bool) -> list[Finding]:
        watch = watch_of(probes_of("bank"))
        found = []
        for number, one in enumerate(turns(400, refused_b=0.8)):
            found += watch.observe(one)
            if again and number % 7 == 0:
                kept = orjson.dumps(watch.snapshot())
                watch = watch_of(probes_of("bank"))
                watch.restore(orjson.loads(kept))
                assert watch.observe(one) == []
        return found

    assert [one.kind for one in said(again=False)] == ["detection"]
    assert said(again=True) == said(again=False)


def test_the_state_stays_small() -> None:
    """Turns that were never completed are forgotten."""
    monitor = Counterfactual()
    for one in turns(1000):
        monitor.observe(one)
    assert len(orjson.dumps(monitor.snapshot())) < 20_000


def test_requests_of_users_are_not_compared() -> None:
    """Nor are probes that failed."""
    stream = Stream("bank")
    plain = [stream.after(1).response(f"r{n}", metadata={"group.origin": "a"}) for n in range(50)]
    monitor = Counterfactual()
    before = monitor.snapshot()
    assert told(monitor, plain) == []
    assert monitor.snapshot() == before
