"""Where a change sits: planted in one segment, it is named; everywhere, none is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors.attribution import Codes, Dimension, Floats, Items, Kind, attribute

DIMENSIONS = [
    Dimension("pool", ("small", "large")),
    Dimension("language", ("de", "en", "fr", "it")),
    Dimension("channel", ("app", "web", "branch")),
]


def codes(many: int, seed: int) -> Codes:
    """Return requests with independent properties."""
    rng = np.random.default_rng(seed)
    columns = [rng.integers(len(one.values), size=many) for one in DIMENSIONS]
    return np.stack(columns, axis=1).astype(np.int16)


def drawn(rates: Floats, seed: int) -> Floats:
    """Return hits at the given rates."""
    return (np.random.default_rng(seed).random(len(rates)) < rates).astype(np.float64)


def rates(of: Codes, usual: float, changed: float, **where: int) -> Floats:
    """Return the usual rate, and the changed one where the properties have the codes given."""
    names = [one.name for one in DIMENSIONS]
    inside = np.ones(len(of), np.bool_)
    for name, code in where.items():
        inside &= of[:, names.index(name)] == code
    return np.where(inside, changed, usual)


def named(before: Items, after: Items, kind: Kind = "rate") -> list[dict[str, str]]:
    """Return where the segments are that are named."""
    return [one.where for one in attribute(before, after, DIMENSIONS, kind=kind)]


def test_the_one_value_that_changed_is_named_first() -> None:
    """French requests fail; nothing else does."""
    was, now = codes(1000, 1), codes(400, 2)
    before = Items(was, drawn(rates(was, 0.02, 0.02), 3))
    after = Items(now, drawn(rates(now, 0.02, 0.4, language=2), 4))
    best = attribute(before, after, DIMENSIONS)[0]
    assert best.where == {"language": "fr"}
    assert best.before < 0.05 < 0.3 < best.after
    assert 0.8 < best.explains < 1.3
    assert best.surprise > 0


def test_a_pair_is_named_when_neither_value_alone_changed() -> None:
    """Only French requests from the branch fail."""
    was, now = codes(1000, 1), codes(800, 2)
    before = Items(was, drawn(rates(was, 0.02, 0.02), 3))
    after = Items(now, drawn(rates(now, 0.02, 0.6, language=2, channel=2), 4))
    assert named(before, after)[0] == {"language": "fr", "channel": "branch"}


def test_a_fall_is_explained_as_a_rise_is() -> None:
    """A guard that went silent for one pool has its cause there."""
    was, now = codes(1000, 1), codes(800, 2)
    before = Items(was, drawn(rates(was, 0.3, 0.3), 3))
    after = Items(now, drawn(rates(now, 0.3, 0.02, pool=1), 4))
    assert named(before, after)[0] == {"pool": "large"}


def test_a_change_of_everything_has_no_segment() -> None:
    """Where all moved alike nobody is singled out."""
    was, now = codes(1000, 1), codes(400, 2)
    before = Items(was, drawn(rates(was, 0.02, 0.02), 3))
    after = Items(now, drawn(rates(now, 0.3, 0.3), 4))
    assert named(before, after) == []


def test_a_newcomer_is_named() -> None:
    """A channel that was never seen brings all the attacks."""
    was, now = codes(1000, 1), codes(400, 2)
    was[:, 2] = np.minimum(was[:, 2], 1)
    now[:, 2] = np.where(np.arange(400) < 60, 2, np.minimum(now[:, 2], 1))
    before = Items(was, drawn(rates(was, 0.01, 0.01), 3))
    after = Items(now, drawn(rates(now, 0.01, 0.8, channel=2), 4))
    assert named(before, after)[0] == {"channel": "branch"}


def test_more_requests_of_one_kind_are_a_change_of_counts() -> None:
    """One language writes four times as often; the others as before."""
    was = codes(1000, 1)
    now = np.concatenate([codes(400, 2), codes(1200, 3)])
    now = np.concatenate([now[:400], now[400:][now[400:, 1] == 1]])
    before = Items(was, np.ones(len(was)), exposure=1000.0)
    after = Items(now, np.ones(len(now)), exposure=400.0)
    best = attribute(before, after, DIMENSIONS, kind="count")[0]
    assert best.where == {"language": "en"}
    assert best.after > 3 * best.before


def test_slower_answers_are_a_change_of_a_mean() -> None:
    """Logarithms of durations rise in one pool."""
    was, now = codes(1000, 1), codes(300, 2)
    noise = np.random.default_rng(5).normal(0, 0.6, 1300)
    before = Items(was, noise[:1000])
    after = Items(now, noise[1000:] + rates(now, 0.0, 0.8, pool=0))
    assert named(before, after, kind="mean")[0] == {"pool": "small"}


def test_nothing_to_compare_names_nothing() -> None:
    """Without requests from before, or since, there is no cause."""
    some, none = codes(10, 1), codes(0, 1)
    assert attribute(Items(none, np.zeros(0)), Items(some, np.ones(10)), DIMENSIONS) == []
    assert attribute(Items(some, np.ones(10)), Items(none, np.zeros(0)), DIMENSIONS) == []


@given(st.integers(0, 10_000), st.integers(1, 60), st.sampled_from(["rate", "count", "mean"]))
@pytest.mark.filterwarnings("error")
def test_whatever_the_requests_figures_are_finite(seed: int, many: int, kind: Kind) -> None:
    """Unknown values, no hits or nothing but hits: no figure is infinite, order does not matter."""
    rng = np.random.default_rng(seed)
    was, now = codes(many, seed), codes(many, seed + 1)
    was[rng.random(was.shape) < 0.1] = now[rng.random(now.shape) < 0.1] = -1
    before = Items(was, (rng.random(many) < rng.choice([0, 0.1, 1])).astype(float))
    after = Items(now, (rng.random(many) < rng.choice([0, 0.5, 1])).astype(float))
    found = attribute(before, after, DIMENSIONS, kind=kind)
    for one in found:
        figures = (one.before, one.after, one.explains, one.surprise, one.evidence)
        assert np.isfinite(figures).all()
        assert 1 <= len(one.where) <= 2
    mixed = rng.permutation(many)
    again = attribute(before, Items(now[mixed], after.values[mixed]), DIMENSIONS, kind=kind)
    assert [one.where for one in again] == [one.where for one in found]
