"""Planted causes are what they are said to be, and are named more often than by other methods."""

from __future__ import annotations

import numpy as np

from infra.eval.adtributor import adtributor, largest_change
from infra.eval.rootcause import evaluate, plants, remembered, split
from monitors.attribution import Dimension, Items


def test_plants_are_the_same_for_the_same_seed() -> None:
    """And of all three kinds."""
    first, again = list(plants(10, 3)), list(plants(10, 3))
    assert {plant.kind for plant in first} == {"rate", "rate of two", "newcomer"}
    assert all(np.array_equal(a.hits, b.hits) for a, b in zip(first, again, strict=True))
    assert [len(plant.where) for plant in first if plant.kind == "rate of two"] == [2, 2]


def test_the_memory_holds_requests_from_both_sides_of_the_change() -> None:
    """What is compared is what a monitor remembers, no more."""
    plant = next(plants(1, 5))
    before, after = split(remembered(plant), plant.changed_at)
    assert 500 < len(before) < 1600
    assert 60 <= len(after) <= len(plant.hits) - plant.changed_at


def test_the_evaluation_says_how_many_and_how_sure() -> None:
    """Rates have sample sizes and intervals; ours names most of what was planted."""
    found = evaluate(many=12, seed=2)
    ours = found["top_three"]["attribution"]
    assert ours["n"] == 12
    assert ours["rate"] >= 0.7
    assert ours["ci95"][0] < ours["rate"] < ours["ci95"][1] or ours["rate"] == 1.0
    assert found["at_the_alert"]["first"]["attribution"]["n"] <= 12


def test_the_other_methods_find_what_is_plain() -> None:
    """One value of one dimension has all of the change."""
    codes = np.array([[n % 4, n % 3] for n in range(600)], np.int16)
    dimensions = [Dimension("pool", tuple("abcd")), Dimension("language", ("de", "en", "fr"))]
    before = Items(codes, (np.arange(600) % 25 == 0).astype(float))
    after = Items(codes, (codes[:, 1] == 2).astype(float))
    assert adtributor(before, after, dimensions)[:1] == [{"language": "fr"}]
    assert largest_change(before, after, dimensions)[:1] == [{"language": "fr"}]
