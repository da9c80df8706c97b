"""How often an interval that is looked at all the time is wrong at some time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from math import log
from typing import Any

import numpy as np
import numpy.typing as npt

from infra.eval.intervals import wilson
from monitors.confidence import ALPHA, BoundedMean, Gap, Rate

_NORMAL = 1.959964
_LIMIT = log(1 / ALPHA)
_FIRST_LOOK = 10
"""From here on the ordinary interval is looked at, ours from the first value on."""

Missed = Callable[[np.random.Generator, int], tuple[bool, float]]
"""Returns, of one stream, whether its interval ever missed the truth, and its last width."""


def evaluate(simulations: int, looks: int, seed: int = 0) -> dict[str, Any]:
    """Return the share of streams in which the truth lies in every one of the intervals.

    Args:
        simulations: Streams of each kind.
        looks: Values of a stream; its interval is looked at after each.
        seed: Decides the streams.
    """
    return {
        "task": "intervals",
        "claimed": 1 - ALPHA,
        "simulations": simulations,
        "looks": looks,
        "kinds": {name: _judged(missed, simulations, looks, seed) for name, missed in _kinds()},
    }


def _kinds() -> Iterator[tuple[str, Missed]]:
    for rate in (0.02, 0.1, 0.5):
        yield f"rate {rate}", partial(_rate, rate)
        yield f"rate {rate}, wilson", partial(_wilson, rate)
    for rates in ((0.05, 0.05), (0.1, 0.06)):
        for share in (0.5, 0.1):
            name = f"difference and ratio of {rates[0]} and {rates[1]}, {share:.0%} the first"
            yield name, partial(_gap, rates, share)
    yield "mean of values that vary little", partial(_mean, (10.0, 30.0))
    yield "mean of extremes", partial(_mean, (0.1, 0.3))


def _judged(missed: Missed, simulations: int, looks: int, seed: int) -> dict[str, Any]:
    streams = np.random.default_rng(seed).spawn(simulations)
    found = [missed(rng, looks) for rng in streams]
    covered = sum(not miss for miss, _ in found)
    return {
        "coverage": covered / simulations,
        "ci95": wilson(covered, simulations),
        "mean_width": round(float(np.mean([width for _, width in found])), 5),
    }


def _rate(rate: float, rng: np.random.Generator, looks: int) -> tuple[bool, float]:
    seen, missed = Rate(), False
    for hit in (rng.random(looks) < rate).tolist():
        seen.add(hit)
        missed = missed or seen.evidence(rate) >= _LIMIT
    low, high = seen.interval()
    return missed, high - low


def _wilson(rate: float, rng: np.random.Generator, looks: int) -> tuple[bool, float]:
    """Judge by the test that Wilson's interval is made of, at all looks in one go."""
    hits = np.cumsum(rng.random(looks) < rate)
    many = np.arange(1, looks + 1)
    off: npt.NDArray[np.float64] = np.abs(hits / many - rate) / np.sqrt(rate * (1 - rate) / many)
    low, high = wilson(int(hits[-1]), looks) or (0.0, 1.0)
    return bool((off[_FIRST_LOOK:] > _NORMAL).any()), high - low


def _gap(
    rates: tuple[float, float], share: float, rng: np.random.Generator, looks: int
) -> tuple[bool, float]:
    """Judge both intervals at once; before either misses, the pair of rates is ruled out."""
    gap, missed = Gap(Rate(), Rate()), False
    firsts = rng.random(looks) < share
    hits = rng.random(looks) < np.where(firsts, *rates)
    for first, hit in zip(firsts.tolist(), hits.tolist(), strict=True):
        (gap.rate if first else gap.reference).add(hit)
        if not missed and gap.evidence(*rates) >= _LIMIT:
            low, high = gap.difference()
            least, most = gap.ratio()
            missed = not low <= rates[0] - rates[1] <= high
            missed = missed or not least <= rates[0] / rates[1] <= most
    low, high = gap.difference()
    return missed, high - low


def _mean(shape: tuple[float, float], rng: np.random.Generator, looks: int) -> tuple[bool, float]:
    """Judge the mean of values that are spread by a beta distribution of ``shape``."""
    seen, missed, truth = BoundedMean(), False, shape[0] / sum(shape)
    for value in rng.beta(*shape, looks).tolist():
        seen.add(value)
        missed = missed or seen.evidence(truth) >= _LIMIT
    low, high = seen.interval()
    return missed, high - low
