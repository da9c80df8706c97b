"""Streams without drift and with four kinds of it, one event of many streams at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt

from infra.eval.drift.pools import Pools

Rows = npt.NDArray[np.intp]

SUDDEN, GRADUAL, LOCAL, OOS = "sudden", "gradual", "local", "oos"
KINDS = {
    SUDDEN: "all events from other domains",
    GRADUAL: "other domains' share rises to one half over 2,000 events, and stays there",
    LOCAL: "one intent, a random one, is 19 % of events besides its usual share",
    OOS: "out-of-scope questions rise to one in ten over 1,000 events, and stay there",
}
LEAD = 100
"""Events without drift before each drift; the detector has started when it comes."""


@dataclass(frozen=True)
class Usual:
    """Draws usual events: the next keeps the intent of the one before with a chance of ``sticky``.

    Attributes:
        order: Rows sorted by intent.
        first: Where each row's intent begins in ``order``.
        many: How many rows each row's intent has.
    """

    rows: int
    sticky: float
    order: Rows
    first: Rows
    many: Rows

    @classmethod
    def of(cls, labels: npt.NDArray[np.intp], sticky: float) -> Usual:
        """Return what draws from texts with these intents."""
        counts = np.bincount(labels)
        begins = np.cumsum(counts) - counts
        order: Rows = np.argsort(labels, kind="stable")
        return cls(len(labels), sticky, order, begins[labels], counts[labels])

    def after(self, rng: np.random.Generator, before: Rows) -> Rows:
        """Return the event after each of ``before``."""
        fresh: Rows = rng.integers(0, self.rows, len(before))
        if not self.sticky:
            return fresh
        same = self.same_intent(rng, before)
        kept: Rows = np.where(rng.random(len(before)) < self.sticky, same, fresh)
        return kept

    def same_intent(self, rng: np.random.Generator, rows: Rows) -> Rows:
        """Return for each of ``rows`` one with its intent."""
        found: Rows = self.order[
            self.first[rows] + (rng.random(len(rows)) * self.many[rows]).astype(np.intp)
        ]
        return found


def events(
    pools: Pools, kind: str | None, streams: int, rng: np.random.Generator, sticky: float = 0.0
) -> Iterator[Rows]:
    """Yield the next event of every stream, for ever, as rows of the pools' texts.

    Args:
        pools: What to draw from, with replacement.
        kind: The drift that begins after :data:`LEAD` events; None for none.
        streams: How many there are.
        rng: The source of chance.
        sticky: The chance that the next event keeps the intent.
    """
    usual = Usual.of(pools.labels, sticky)
    rows = rng.integers(0, pools.usual, streams)
    # A random intent, not that of a random text: all intents count alike.
    intents = rng.integers(0, int(pools.labels.max()) + 1, streams)
    chosen = np.searchsorted(pools.labels[usual.order], intents)
    subject = usual.order[chosen]
    step = 0
    while True:
        seen = rows
        if kind is not None and step >= LEAD:
            hit = rng.random(streams) < _share(kind, step - LEAD + 1)
            drifted = _drifted(pools, kind, usual, subject, rng)
            seen = np.where(hit, drifted, rows)
        yield seen
        rows = usual.after(rng, rows)
        step += 1


def _share(kind: str, since: int) -> float:
    """Return the share of drifted events at the given event of the drift, counted from 1."""
    if kind == GRADUAL:
        return 0.5 * min(1.0, since / 2000)
    if kind == OOS:
        return 0.1 * min(1.0, since / 1000)
    return 0.19 if kind == LOCAL else 1.0


def _drifted(
    pools: Pools, kind: str, usual: Usual, subject: Rows, rng: np.random.Generator
) -> Rows:
    if kind == LOCAL:
        return usual.same_intent(rng, subject)
    first, many = pools.usual, pools.other
    if kind == OOS:
        first, many = first + many, pools.unknown
    drawn: Rows = rng.integers(first, first + many, len(subject))
    return drawn


def reference_rows(
    pools: Pools, events: int, rng: np.random.Generator, sticky: float = 0.0
) -> Rows:
    """Return different texts for a reference in the order of time, as rows of ``reference``.

    Args:
        pools: What to draw from.
        events: How many texts, at most all there are.
        rng: The source of chance.
        sticky: The chance that the next text keeps the intent, while there are more of it.
    """
    order = rng.permutation(len(pools.reference))
    if not sticky:
        return order[:events]
    same_as = {
        str(intent): iter(order[pools.intents[order] == intent].tolist())
        for intent in np.unique(pools.intents)
    }
    taken: list[int] = []
    used: set[int] = set()
    walk = iter(order.tolist())
    while len(taken) < events:
        source: Iterator[int] = walk
        if taken and rng.random() < sticky:
            source = chain(same_as[str(pools.intents[taken[-1]])], walk)
        row = next(row for row in source if row not in used)
        used.add(row)
        taken.append(row)
    return np.array(taken)
