"""Drift of one category an event: intents, languages, outcomes of guards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from monitors.drift.averages import Chart, Charted, fit_chart
from monitors.drift.detector import FEWEST, Alarm

OTHERS = "*"
"""Stands for categories that the reference hardly has; no category can be called so."""
_MOST = 63
_NAMED = 3
_RAREST = 0.02
"""What is rarer counts as if it had this share: one event of a new category is no revolution."""


@dataclass(frozen=True)
class CategoryReference:
    """Categories that count as usual.

    Attributes:
        names: Them, most frequent first, and :data:`OTHERS` last.
        scale: What makes rare ones count, for each.
        chart: What is usual of their shares.
    """

    names: tuple[str, ...]
    scale: tuple[float, ...]
    chart: Chart


def fit_categories(categories: Sequence[str], arl: float, seed: int = 0) -> CategoryReference:
    """Return the reference that usual categories make, in the order of time.

    Beyond the 63 most frequent all are taken together, as are those that the reference lacks.

    Raises:
        ValueError: If there are fewer than 100.
    """
    if len(categories) < FEWEST:
        raise ValueError(f"{len(categories)} events; a reference needs at least {FEWEST}")
    counts = Counter(categories)
    frequent = sorted(counts, key=lambda name: (-counts[name], name))[:_MOST]
    names = (*frequent, OTHERS)
    share = np.array([counts[name] for name in frequent] + [0], np.float32)
    share[-1] = len(categories) - share.sum()
    scale = np.maximum(share / len(categories), _RAREST) ** np.float32(-0.5)
    column = {name: index for index, name in enumerate(names)}
    at = np.array([column.get(category, len(frequent)) for category in categories])
    features = np.zeros((len(at), len(names)), np.float32)
    features[np.arange(len(at)), at] = scale[at]
    return CategoryReference(names, tuple(scale.tolist()), fit_chart(features, arl, seed))


class CategoryDrift(Charted):
    """Raise an alarm when categories come in other shares than in the reference; name the grown.

    One chart watches the shares, each in units of its square root, so that it is the chi-square
    distance from the usual that counts.

    Args:
        reference: What is usual.

    References:
        N. Ye et al., "Multivariate statistical analysis of audit trails for host-based intrusion
        detection", IEEE Transactions on Computers 51 (2002): chi-square of EWMA shares.

    >>> rng = np.random.default_rng(1)
    >>> drift = CategoryDrift(fit_categories(rng.choice(["de", "en", "fr"], 500).tolist(), arl=500))
    >>> [alarm.grown for alarm in map(drift.update, 30 * ["fr"]) if alarm][0]
    ('fr',)
    """

    def __init__(self, reference: CategoryReference) -> None:
        self._names = reference.names
        self._column = {name: index for index, name in enumerate(reference.names)}
        self._scale = np.array(reference.scale, np.float32)
        super().__init__(reference.chart)

    def update(self, value: str) -> Alarm | None:
        """Take in one category; return an alarm if there is one."""
        column = self._column.get(value, len(self._names) - 1)
        seen = np.zeros_like(self._scale)
        seen[column] = self._scale[column]
        level = self._average.update(seen)
        if level <= 1:
            return None
        moved = self._average.moved
        most = np.argsort(-moved, kind="stable")[:_NAMED]
        grown = tuple(self._names[index] for index in most if moved[index] > 0)
        self._average.restart()
        return Alarm("mix", level, grown)
