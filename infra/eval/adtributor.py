"""Other ways to name the segment that changed, to be compared with ours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from monitors.attribution import Dimension, Items

_EXPLAINS_ALONE = 0.1
_EXPLAIN_TOGETHER = 0.67


def adtributor(
    before: Items, after: Items, dimensions: Sequence[Dimension], most: int = 3
) -> list[dict[str, str]]:
    """Return the segments that Adtributor names, best first.

    Within each dimension values are taken by their surprise as long as each explains a tenth of the
    change, until they explain 67 % together; dimensions are then taken by their surprise. For a
    rate, the forecast is each value's rate before at its number of items since, and explanatory
    power is that of a derived measure: what the rate would have been had only this value changed.

    References:
        R. Bhagwan et al., "Adtributor: Revenue Debugging in Advertising Systems", NSDI (2014).
    """
    usual, actual = before.values.mean(), after.values.mean()
    found: list[tuple[float, list[str], str]] = []
    for column, dimension in enumerate(dimensions):
        size = len(dimension.values)
        items_was, hits_was = _counts(before, column, size)
        items_now, hits_now = _counts(after, column, size)
        rate = np.where(items_was > 0, hits_was / np.maximum(items_was, 1), usual)
        forecast = rate * items_now
        change = hits_now.sum() - forecast.sum()
        if change == 0 or actual == usual:
            continue
        power = (hits_now - forecast) / change
        expected = forecast / max(forecast.sum(), 1e-9)
        share = hits_now / max(hits_now.sum(), 1e-9)
        surprise = _surprises(expected, share)
        chosen: list[int] = []
        for value in np.argsort(-surprise, kind="stable"):
            if power[value] >= _EXPLAINS_ALONE:
                chosen.append(int(value))
            if power[chosen].sum() >= _EXPLAIN_TOGETHER:
                break
        if power[chosen].sum() >= _EXPLAIN_TOGETHER:
            values = [dimension.values[value] for value in chosen]
            found.append((float(surprise[chosen].sum()), values, dimension.name))
    found.sort(key=lambda one: -one[0])
    return [{name: value} for _, values, name in found for value in values][:most]


def largest_change(
    before: Items, after: Items, dimensions: Sequence[Dimension], most: int = 3
) -> list[dict[str, str]]:
    """Return the single values whose number of hits per item rose most, the naive pick."""
    found: list[tuple[float, str, str]] = []
    for column, dimension in enumerate(dimensions):
        _, hits_was = _counts(before, column, len(dimension.values))
        _, hits_now = _counts(after, column, len(dimension.values))
        rose = hits_now / len(after) - hits_was / len(before)
        found += [
            (float(by), dimension.name, value)
            for by, value in zip(rose, dimension.values, strict=True)
        ]
    found.sort(key=lambda one: -one[0])
    return [{name: value} for _, name, value in found[:most]]


def _counts(items: Items, column: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    codes = items.codes[:, column]
    known = codes >= 0
    return (
        np.bincount(codes[known], minlength=size).astype(np.float64),
        np.bincount(codes[known], items.values[known], minlength=size),
    )


def _surprises(expected: np.ndarray, actual: np.ndarray) -> np.ndarray:
    mixed = np.maximum((expected + actual) / 2, 1e-300)
    halves = [
        np.where(share > 0, share * np.log(np.maximum(share, 1e-300) / mixed), 0.0)
        for share in (expected, actual)
    ]
    found: np.ndarray = (halves[0] + halves[1]) / 2
    return found
