"""Where a change sits: the segment of the traffic that explains it and leaves nothing over."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from math import log
from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int16]
Flags = npt.NDArray[np.bool_]
Kind = Literal["rate", "count", "mean"]

NO_VALUE = -1
"""Stands for a value that is not known, or too rare to be kept apart."""
HITS_LEAST = 3
"""A segment with fewer items that changed is never named."""
PRIOR_ITEMS = 50.0
"""What is believed of a segment before it was seen weighs as much as so many of its items."""
CERTAIN_ITEMS = 800.0
"""What was usual in a segment counts as known from so many items at least, lest a newcomer that is
all of the change be outdone by "everywhere"."""
DOUBT = 3.0
"""Nats by which "everywhere" must be ahead of a segment to be believed instead: 20 to 1."""


@dataclass(frozen=True)
class Dimension:
    """A property of requests and the values it takes, by their codes from 0 on."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Items:
    """Requests, one row each.

    Attributes:
        codes: The value of every dimension, :data:`NO_VALUE` where there is none; shape (n, d).
        values: Of a rate 0 or 1, of a mean the value, of a count 1; shape (n,).
        exposure: For a count, how long or how much was looked at, in any one unit.
    """

    codes: Codes
    values: Floats
    exposure: float = 1.0

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True)
class Segment:
    """A part of the traffic and what its change explains.

    Attributes:
        where: The values that mark it, by dimension; one or two.
        before: The rate, mean, or count per exposure before the change.
        after: The same since.
        items: How many items it has since the change.
        explains: The share of the whole change that lies in it (explanatory power). Beyond 1 if the
            rest moved the other way; 0 if the whole did not change, only the shares in it.
        surprise: How much its share of the total differs from what was expected, in nats.
        evidence: By how many nats more likely a change here and nowhere else makes what was seen
            than a change everywhere else and not here; of a pair, less its price.
    """

    where: dict[str, str]
    before: float
    after: float
    items: int
    explains: float
    surprise: float
    evidence: float


@dataclass(frozen=True)
class _Sums:
    """Sums over many segments at once: items and their values."""

    items: Floats
    values: Floats

    def rest(self, whole: _Sums) -> _Sums:
        return _Sums(whole.items - self.items, whole.values - self.values)

    def at(self, chosen: npt.NDArray[np.intp]) -> _Sums:
        return _Sums(self.items[chosen], self.values[chosen])


def attribute(
    before: Items,
    after: Items,
    dimensions: Sequence[Dimension],
    *,
    kind: Kind = "rate",
    most: int = 3,
) -> list[Segment]:
    """Return the segments that best explain a change, the best first; none if none stands out.

    Every value of every dimension, and every pair of values of two, is tried as *the* segment that
    changed: the log likelihood ratio of a change inside it, less that of a change in the same
    direction in all the rest. What is too large takes in items that did not change, what is too
    small leaves some that did over. Pairs pay for being many more than single values, and a segment
    is not named if "everywhere" is much more likely.

    Args:
        before: Items from before the change.
        after: Items since.
        dimensions: What the columns of the codes stand for.
        kind: A ``rate`` of items (binomial), a ``count`` of items for an exposure (Poisson), or a
            ``mean`` of values (normal with one variance; take logarithms of durations).
        most: How many segments to return at most.

    References:
        R. Bhagwan et al., "Adtributor: Revenue Debugging in Advertising Systems", NSDI (2014):
        explanatory power and surprise. Z. Li et al., "Generic and Robust Localization of
        Multi-Dimensional Root Causes" (Squeeze), ISSRE (2019): what a segment leaves over.
        M. Kulldorff, "A spatial scan statistic", Communications in Statistics 26 (1997).

    >>> codes = np.array([[n % 4, n % 3] for n in range(400)], np.int16)
    >>> dims = [Dimension("pool", tuple("abcd")), Dimension("language", ("de", "en", "fr"))]
    >>> calm = Items(codes, (np.arange(400) % 50 == 0).astype(float))
    >>> ill = Items(codes, (codes[:, 1] == 2).astype(float))
    >>> found = attribute(calm, ill, dims)[0]
    >>> found.where, round(found.before, 3), found.after
    ({'language': 'fr'}, 0.022, 1.0)
    """
    if not len(before) or not len(after):
        return []
    compare = _Comparison(before, after, kind)
    least = max(0.0, compare.everywhere - DOUBT)
    found: list[tuple[float, Segment]] = []
    tried = {1: 1, 2: 1}
    sizes = [len(dimension.values) for dimension in dimensions]
    for columns in _columns(sizes):
        shape = tuple(sizes[column] for column in columns)
        was, now = _sums(before, columns, shape), _sums(after, columns, shape)
        chosen = np.flatnonzero(compare.candidates(was, now))
        tried[len(columns)] += len(chosen)
        was, now = was.at(chosen), now.at(chosen)
        scores = compare.score(was, now)
        for index in np.flatnonzero(scores > least):
            values = np.unravel_index(chosen[index], shape)
            where = {
                dimensions[column].name: dimensions[column].values[int(value)]
                for column, value in zip(columns, values, strict=True)
            }
            found.append((float(scores[index]), compare.segment(was, now, int(index), where)))
    price = max(0.0, log(tried[2] / tried[1]))
    priced = [(score - price * (len(s.where) - 1), s) for score, s in found]
    priced = [(score, s) for score, s in priced if score > least]
    priced.sort(key=lambda one: (-one[0], len(one[1].where), sorted(one[1].where.items())))
    return [replace(segment, evidence=score) for score, segment in priced[:most]]


class _Comparison:
    """Two sets of items and how to tell whether a part of them changed."""

    def __init__(self, before: Items, after: Items, kind: Kind) -> None:
        self._kind = kind
        self._exposure = (before.exposure, after.exposure)
        self._was = _Sums(np.array([len(before)], float), before.values.sum(keepdims=True))
        self._now = _Sums(np.array([len(after)], float), after.values.sum(keepdims=True))
        spread = float(before.values.var()) if kind == "mean" else 0.0
        self._variance = max(spread, 1e-12)
        self._usual = float(self._level(self._was, before.exposure)[0])
        moved = float(self._level(self._now, after.exposure)[0]) - self._usual
        self._side = 1.0 if moved >= 0 else -1.0
        self._change = moved
        self.everywhere = float(self._ratio(self._was, self._now)[0])
        """The evidence that everything changed alike."""

    def candidates(self, was: _Sums, now: _Sums) -> Flags:
        """Return which segments have enough items to be named."""
        if self._kind == "mean":
            return now.items >= HITS_LEAST
        seen = now.values if self._side > 0 else was.values
        if self._kind == "count":
            return seen >= HITS_LEAST
        enough: Flags = (seen >= HITS_LEAST) & (now.items >= HITS_LEAST)
        return enough

    def score(self, was: _Sums, now: _Sums) -> Floats:
        """Return for each segment the evidence of its change less that of a change of the rest."""
        inside = self._ratio(was, now)
        outside = self._ratio(was.rest(self._was), now.rest(self._now))
        return inside - outside

    def segment(self, was: _Sums, now: _Sums, index: int, where: dict[str, str]) -> Segment:
        """Return the segment at ``index`` in words and figures."""
        one = np.array([index])
        was, now = was.at(one), now.at(one)
        before = float(self._expected_level(was)[0])
        after = float(self._level(now, self._exposure[1])[0])
        weight = 1.0 if self._kind == "count" else float(now.items[0] / self._now.items[0])
        expected = before * weight
        actual = after * weight
        total = float(self._level(self._now, self._exposure[1])[0])
        explains = (actual - expected) / self._change if self._change else 0.0
        return Segment(
            where=where,
            before=before,
            after=after,
            items=int(now.items[0]),
            explains=explains,
            surprise=_surprise(expected / self._usual if self._usual else 0.0, actual / total)
            if total and self._kind != "mean"
            else 0.0,
            evidence=0.0,
        )

    def _level(self, sums: _Sums, exposure: float) -> Floats:
        if self._kind == "count":
            return sums.values / exposure
        level: Floats = sums.values / np.maximum(sums.items, 1.0)
        return level

    def _expected_level(self, was: _Sums) -> Floats:
        """Return what segments are at before a change; unseen ones are believed to be as all."""
        if self._kind == "count":
            return was.values / self._exposure[0]
        prior = PRIOR_ITEMS * self._usual
        expected: Floats = (was.values + prior) / (was.items + PRIOR_ITEMS)
        return expected

    def _ratio(self, was: _Sums, now: _Sums) -> Floats:
        """Return the log likelihood ratio of a change to our side, 0 if it went to the other."""
        expected = self._expected_level(was)
        level = self._level(now, self._exposure[1])
        if self._kind == "mean":
            spread = 1 / np.maximum(now.items, 1) + 1 / _known(was)
            ratio = (level - expected) ** 2 / (2 * self._variance * spread)
        elif self._kind == "count":
            whole = (was.values + now.values) / sum(self._exposure)
            ratio = (
                _xlogy(was.values, expected)
                + _xlogy(now.values, level)
                - _xlogy(was.values + now.values, whole)
            )
        else:
            items = _known(was)
            whole = (expected * items + now.values) / (items + now.items)
            ratio = (
                items * _negentropy(expected)
                + now.items * _negentropy(level)
                - (items + now.items) * _negentropy(whole)
            )
        moved: Floats = np.where((level - expected) * self._side > 0, np.maximum(ratio, 0.0), 0.0)
        return moved


def _columns(sizes: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Yield single dimensions and pairs of them; one with a single value says nothing."""
    telling = [column for column, size in enumerate(sizes) if size > 1]
    yield from ((column,) for column in telling)
    yield from combinations(telling, 2)


def _sums(items: Items, columns: tuple[int, ...], shape: tuple[int, ...]) -> _Sums:
    codes = items.codes[:, list(columns)].astype(np.int64)
    known = (codes >= 0).all(axis=1)
    cells = codes[known, 0] if len(columns) == 1 else codes[known] @ np.array([shape[1], 1])
    size = int(np.prod(shape))
    return _Sums(
        np.bincount(cells, minlength=size).astype(np.float64),
        np.bincount(cells, items.values[known], minlength=size).astype(np.float64),
    )


def _known(was: _Sums) -> Floats:
    """Return how many items' worth is known of segments before a change."""
    items: Floats = np.maximum(was.items + PRIOR_ITEMS, CERTAIN_ITEMS)
    return items


def _xlogy(x: Floats, y: Floats) -> Floats:
    product: Floats = x * np.log(np.maximum(y, 1e-300))
    return product


def _negentropy(rate: Floats) -> Floats:
    rate = np.clip(rate, 0.0, 1.0)
    return _xlogy(rate, rate) + _xlogy(1 - rate, 1 - rate)


def _surprise(expected: float, actual: float) -> float:
    """Return a segment's part of the Jensen-Shannon divergence, as Adtributor has it."""
    mixed = (expected + actual) / 2
    halves = (share * log(share / mixed) for share in (expected, actual) if share > 0)
    return max(0.0, sum(halves) / 2)
