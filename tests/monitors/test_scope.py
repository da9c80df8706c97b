"""Requests outside the allowed topics are told from those inside."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from monitors.scope import Scope
from monitors.scope_model import Floats, fit_scope
from schemas.verdicts import Direction

WIDTH = 32


def directions(count: int) -> Floats:
    """Return unit vectors that stand at right angles."""
    return np.eye(WIDTH, dtype=np.float32)[:count]


def near(centre: Floats, count: int, seed: int) -> Floats:
    """Return unit vectors around ``centre``."""
    noise = np.random.default_rng(seed).normal(0, 0.08, (count, WIDTH)).astype(np.float32)
    rows: Floats = centre + noise
    norms: Floats = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / norms


def embed(texts: Sequence[str]) -> Floats:
    """Return a vector near that of the text's first word."""
    words = ("card", "loan", "rain", "goal")
    return np.concatenate(
        [near(directions(4)[words.index(t.split()[0])], 1, len(t)) for t in texts]
    )


ALLOWED = {
    "card": tuple(f"card {'x' * i}" for i in range(30)),
    "loan": tuple(f"loan {'x' * i}" for i in range(30)),
}


def test_strangers_lie_farther_than_any_example() -> None:
    """Vectors of a direction that no example has score above those of the examples' kind."""
    topics = directions(3)
    vectors = np.concatenate([near(topics[0], 60, 1), near(topics[1], 60, 2)])
    model = fit_scope(vectors, ["a"] * 60 + ["b"] * 60)
    inside = model.distance(np.concatenate([near(topics[0], 40, 3), near(topics[1], 40, 4)]))
    outside = model.distance(near(topics[2], 40, 5))
    assert outside.min() > inside.max()


def test_a_threshold_is_the_share_of_allowed_texts_flagged() -> None:
    """Of fresh texts like the examples, about one in ten scores 0.9 or more."""
    topics = directions(2)
    vectors = np.concatenate([near(topics[0], 300, 1), near(topics[1], 300, 2)])
    model = fit_scope(vectors, ["a"] * 300 + ["b"] * 300)
    fresh = np.concatenate([near(topics[0], 300, 3), near(topics[1], 300, 4)])
    assert 0.05 < float((model.score(fresh) >= 0.9).mean()) < 0.15


def test_one_topic_is_enough() -> None:
    """Where all examples are of one topic, their nearness alone decides."""
    model = fit_scope(near(directions(1)[0], 40, 1), ["a"] * 40)
    assert model.score(near(directions(2)[1], 5, 2)).min() == 1.0


def test_the_same_examples_give_the_same_scope() -> None:
    """Fitting twice gives equal distances."""
    vectors = np.concatenate([near(row, 30, i) for i, row in enumerate(directions(2))])
    topics = ["a"] * 30 + ["b"] * 30
    first, second = (fit_scope(vectors, topics).distance(vectors) for _ in range(2))
    assert (first == second).all()


def test_the_guard_flags_what_no_example_resembles() -> None:
    """A question about rain is out of the scope of cards and loans; one about cards is in it."""
    guard = Scope(Scope.Options(allowed=ALLOWED), embed)
    stranger, customer = guard.scan(["rain tomorrow", "card yyy"])
    assert stranger.score >= guard.threshold > customer.score
    assert stranger.scanned_chars == len("rain tomorrow")
    assert guard.scan([]) == []
    assert guard.directions == (Direction.PROMPT,)


def test_other_examples_are_another_version() -> None:
    """The version names the examples, so that a verdict says which scope it was given under."""
    fewer = {**ALLOWED, "loan": ALLOWED["loan"][:20]}
    versions = {Scope(Scope.Options(allowed=a), embed).version for a in (ALLOWED, fewer, ALLOWED)}
    assert len(versions) == 2


def test_too_few_examples_are_refused() -> None:
    """A scope of three examples says nothing about the spread of allowed texts."""
    with pytest.raises(ValueError, match="needs 8"):
        Scope(Scope.Options(allowed={"card": ("card a", "card b", "card c")}), embed)


def test_a_policy_tells_the_guard_its_scope() -> None:
    """Until then it reads nothing, which makes verdicts that say so."""
    untold = Scope(Scope.Options(), embed)
    with pytest.raises(ValueError, match="no examples"):
        untold.scan(["card yyy"])
    told = untold.with_options(Scope.Options(allowed=ALLOWED))
    assert told.scan(["card yyy"])[0].score < told.threshold
