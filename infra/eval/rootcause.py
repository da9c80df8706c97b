"""How often the segment that changed is named: planted causes among ten dimensions."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from infra.eval.adtributor import adtributor, largest_change
from infra.eval.intervals import wilson
from monitors.attribution import Dimension, Floats, Items, attribute
from monitors.change_point import change_point
from monitors.rates import RateShift
from monitors.request_memory import RequestMemory

SIZES = {
    "deployment": 3,
    "version": 2,
    "pool": 3,
    "workspace": 12,
    "intent": 20,
    "language": 6,
    "channel": 4,
    "passage_source": 8,
    "template": 5,
    "region": 6,
}
EARLIER = 4_000
"""Requests before the change."""
_NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
_MARK = "hit"
_WARMUP = 1_000
_ARL = 100_000
_NOTICED = 4.0
"""Standard errors by which the whole must have moved: less would raise no alert."""


@dataclass(frozen=True)
class Plant:
    """A stream of requests in which one segment changed.

    Attributes:
        kind: ``rate`` for one property, ``rate of two`` for a pair, ``newcomer`` for a value that
            never occurred before, ``everywhere`` for a change that has no segment.
        codes: Shape (n, 10).
        hits: Which requests have what is measured, shape (n,).
        changed_at: The first request since the change.
        where: The segment, by dimension.
    """

    kind: str
    codes: np.ndarray
    hits: Floats
    changed_at: int
    where: dict[str, str]


def plants(many: int, seed: int) -> Iterator[Plant]:
    """Yield planted changes; every fifth is of a pair, every tenth a newcomer."""
    rng = np.random.default_rng(seed)
    made = 0
    while made < many:
        kind = "newcomer" if made % 10 == 9 else "rate of two" if made % 5 == 2 else "rate"
        plant = _plant(rng, kind)
        if _is_noticed(plant):
            made += 1
            yield plant


def everywhere(many: int, seed: int) -> Iterator[Plant]:
    """Yield changes that have no segment."""
    rng = np.random.default_rng(seed)
    made = 0
    while made < many:
        plant = _plant(rng, "everywhere")
        if _is_noticed(plant):
            made += 1
            yield plant


def _plant(rng: np.random.Generator, kind: str) -> Plant:
    later = int(np.exp(rng.uniform(np.log(60), np.log(1500))))
    count = EARLIER + later
    codes = np.empty((count, len(SIZES)), np.int16)
    for column, size in enumerate(SIZES.values()):
        weights = 1 / np.arange(1, size + 1) ** rng.uniform(0.3, 1.5)
        codes[:, column] = rng.choice(size, count, p=weights / weights.sum())
    # Some properties go together: a workspace has its language, an intent its template.
    for cause, effect, share in ((3, 5, 0.7), (4, 8, 0.5)):
        follows = rng.random(count) < share
        codes[follows, effect] = codes[follows, cause] % list(SIZES.values())[effect]
    base = np.exp(rng.uniform(np.log(0.003), np.log(0.2)))
    odds = np.full(count, np.log(base / (1 - base)))
    for column in rng.choice(len(SIZES), 3, replace=False):
        odds += rng.normal(0, 0.5, list(SIZES.values())[column])[codes[:, column]]
    odds += rng.normal(0, 0.2)  # the day differs from those before
    inside, where = _segment(rng, kind, codes)
    since = np.arange(count) >= EARLIER
    strength = rng.uniform(np.log(3), np.log(40))
    odds += np.where(inside & since, strength, 0.0)
    if kind == "newcomer":
        stays = since | ~inside
        codes, odds, since = codes[stays], odds[stays], since[stays]
    hits = (rng.random(len(odds)) < 1 / (1 + np.exp(-odds))).astype(np.float64)
    return Plant(kind, codes, hits, int(np.argmax(since)), where)


def _segment(
    rng: np.random.Generator, kind: str, codes: np.ndarray
) -> tuple[np.ndarray, dict[str, str]]:
    """Return which requests are in a segment, drawn among those with 1 to 40 % of them."""
    if kind == "everywhere":
        return np.ones(len(codes), np.bool_), {}
    names = list(SIZES)
    while True:
        columns = sorted(rng.choice(len(SIZES), 2 if kind == "rate of two" else 1, replace=False))
        picked = [int(rng.integers(list(SIZES.values())[column])) for column in columns]
        inside = (codes[:, columns] == picked).all(axis=1)
        if 0.01 <= inside.mean() <= 0.4:
            return inside, {names[c]: str(p) for c, p in zip(columns, picked, strict=True)}


def _is_noticed(plant: Plant) -> bool:
    before, after = plant.hits[: plant.changed_at], plant.hits[plant.changed_at :]
    whole = plant.hits.mean()
    error = (whole * (1 - whole) * (1 / len(before) + 1 / len(after))) ** 0.5
    return bool(after.sum() >= 5 and after.mean() - before.mean() > _NOTICED * error)


def remembered(plant: Plant, until: int | None = None) -> RequestMemory:
    """Return what the monitors' memory holds of a plant's requests, one a second.

    Args:
        plant: The requests.
        until: How many of them; all if None.
    """
    memory = RequestMemory()
    names = list(SIZES)
    rows = zip(plant.codes[:until].tolist(), plant.hits[:until], strict=True)
    for number, (row, hit) in enumerate(rows):
        slot = memory.slot(f"r{number}", _NOON + timedelta(seconds=number))
        memory.describe(slot, dict(zip(names, map(str, row), strict=True)))
        if hit:
            memory.mark(slot, [_MARK])
    return memory


def alerted(plant: Plant) -> tuple[int, int] | None:
    """Return how many requests had come when the monitor of the rate spoke, and since when.

    None if it did not, or spoke before the change.
    """
    rate = RateShift.after(int(plant.hits[:_WARMUP].sum()), _WARMUP, arl=_ARL)
    for number in range(_WARMUP, len(plant.hits)):
        at = _NOON + timedelta(seconds=number)
        shift = rate.observe(int(plant.hits[number]), 1, at)
        if shift is not None:
            since = int((shift.since_at - _NOON).total_seconds())
            return (number + 1, since) if number >= plant.changed_at else None
    return None


def split(memory: RequestMemory, since: int) -> tuple[Items, Items]:
    """Return the remembered requests before the one numbered ``since``, and from it on."""
    since_s = (_NOON + timedelta(seconds=since)).timestamp()
    later = memory.times >= since_s
    values = memory.marked(_MARK).astype(np.float64)
    codes = memory.codes
    return Items(codes[~later], values[~later]), Items(codes[later], values[later])


Namer = Callable[[Items, Items, Sequence[Dimension]], list[dict[str, str]]]


def ours(before: Items, after: Items, dimensions: Sequence[Dimension]) -> list[dict[str, str]]:
    """Return what :func:`monitors.attribution.attribute` names."""
    return [segment.where for segment in attribute(before, after, dimensions)]


METHODS: dict[str, Namer] = {
    "attribution": ours,
    "adtributor": adtributor,
    "largest_change": largest_change,
}


@dataclass
class _Tally:
    """How often the planted segment was named, by each method."""

    first: dict[str, list[bool]] = field(default_factory=lambda: {name: [] for name in METHODS})
    three: dict[str, list[bool]] = field(default_factory=lambda: {name: [] for name in METHODS})
    took_ms: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in METHODS})

    def take(self, plant: Plant, memory: RequestMemory, since: int) -> None:
        before, after = split(memory, since)
        for name, method in METHODS.items():
            began = time.process_time()
            named = method(before, after, memory.dimensions)
            self.took_ms[name].append(1000 * (time.process_time() - began))
            self.first[name].append(named[:1] == [plant.where])
            self.three[name].append(plant.where in named[:3])

    def shares(self) -> dict[str, Any]:
        return {
            "first": {name: share(found) for name, found in self.first.items()},
            "top_three": {name: share(found) for name, found in self.three.items()},
        }


def evaluate(many: int = 200, seed: int = 0) -> dict[str, Any]:
    """Return how often the planted segment is named first and among three, beside other methods.

    Once with all requests since the change, 60 to 1,500, and its true beginning; once with what
    there is when the monitor of the rate speaks, and the beginning it estimates.

    Args:
        many: How many changes to plant; a quarter as many more have no segment.
        seed: Decides them.
    """
    whole, at_alert = _Tally(), _Tally()
    kinds: list[str] = []
    hits_at_alert: list[int] = []
    covered: list[bool] = []
    widths: list[int] = []
    for plant in plants(many, seed):
        kinds.append(plant.kind)
        whole.take(plant, remembered(plant), plant.changed_at)
        if (spoke := alerted(plant)) is not None:
            until, since = spoke
            at_alert.take(plant, remembered(plant, until), since)
            hits_at_alert.append(int(plant.hits[since:until].sum()))
        inside = _inside(plant)
        truth = int(inside[: plant.changed_at].sum())
        if truth:
            moment = change_point(plant.hits[inside])
            covered.append(moment.earliest <= truth <= moment.latest)
            widths.append(moment.latest - moment.earliest)
    calm = [
        bool(ours(*split(memory, plant.changed_at), memory.dimensions))
        for plant in everywhere(many // 4, seed + 1)
        for memory in [remembered(plant)]
    ]
    return {
        "task": "rootcause",
        "n": many,
        "dimensions": len(SIZES),
        "values": sum(SIZES.values()),
        **whole.shares(),
        "first_by_kind": {
            kind: {
                name: share([hit for hit, k in zip(found, kinds, strict=True) if k == kind])
                for name, found in whole.first.items()
            }
            for kind in dict.fromkeys(kinds)
        },
        "at_the_alert": at_alert.shares() | {"median_hits": float(np.median(hits_at_alert))},
        "cpu_ms_per_alert": {
            name: {"median": _round(np.median(took)), "p99": _round(np.quantile(took, 0.99))}
            for name, took in whole.took_ms.items()
        },
        "change_point_in_interval": share(covered) | {"median_width": float(np.median(widths))},
        "segment_named_though_all_changed": share(calm),
    }


def _inside(plant: Plant) -> np.ndarray:
    names = list(SIZES)
    columns = [names.index(name) for name in plant.where]
    inside: np.ndarray = (plant.codes[:, columns] == [int(v) for v in plant.where.values()]).all(1)
    return inside


def share(found: Sequence[bool]) -> dict[str, Any]:
    """Return the share of what was found, with its sample size and 95 % interval."""
    return {
        "rate": _round(np.mean(found), 4) if found else None,
        "n": len(found),
        "ci95": wilson(sum(found), len(found)),
    }


def _round(value: Any, digits: int = 2) -> float:
    return round(float(value), digits)
