"""Drift of anything that can be put as a few numbers an event: one chart of their averages."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from monitors.drift.dependence import BLOCK, dependence_of
from monitors.drift.detector import Promise, promise
from monitors.drift.run_lengths import Floats, limit_for, resampled, steps_for
from monitors.monitor import Snapshot

RATE = np.float32(0.05)
_STREAMS = 400


@dataclass(frozen=True)
class Chart:
    """What is usual of an average, and how far it may be off.

    Attributes:
        usual: Mean of each feature over the reference.
        limit: Of the squared length of the average's distance from that.
        promise: The run length stated.
    """

    usual: tuple[float, ...]
    limit: float
    promise: Promise


def fit_chart(features: Floats, arl: float, seed: int) -> Chart:
    """Return the chart of a reference; the same features, the same one.

    Its limit comes from streams drawn from the reference, each moved by the error of a mean over as
    many events, drawn anew; in blocks where events depend on those before.

    Args:
        features: Of each event of the reference in the order of time, shape (events, features).
        arl: Events between false alarms, on average.
        seed: Decides what is drawn.
    """
    rng = np.random.default_rng(seed)
    usual: Floats = features.mean(axis=0)
    own = features - usual
    dependence = dependence_of(own)
    block = BLOCK if dependence.present else 1
    events, width = own.shape
    steps = steps_for(arl)
    drawn = resampled(rng, events, (_STREAMS, steps), block)
    moved = own[resampled(rng, events, (_STREAMS, events), block)].mean(axis=1)
    levels = np.empty((_STREAMS, steps), np.float32)
    average = np.zeros((_STREAMS, width), np.float32)
    for step in range(steps):
        average += RATE * (own[drawn[:, step]] - moved - average)
        levels[:, step] = np.einsum("ij,ij->i", average, average)
    return Chart(
        tuple(usual.tolist()), limit_for(levels, arl), promise(arl, events, dependence, block)
    )


class Average:
    """The exponentially weighted average of features, against what is usual.

    A multivariate EWMA chart; its state is one average.

    Args:
        chart: What is usual.

    Attributes:
        moved: The average less what is usual, shape (features,).

    References:
        C. A. Lowry et al., "A multivariate exponentially weighted moving average control chart",
        Technometrics 34 (1992).
    """

    def __init__(self, chart: Chart) -> None:
        self._limit = chart.limit
        self._usual = np.array(chart.usual, np.float32)
        self.moved: Floats = np.zeros_like(self._usual)

    @property
    def level(self) -> float:
        """How far it is off, the limit being 1."""
        return float(self.moved @ self.moved) / self._limit

    def update(self, features: Floats) -> float:
        """Take in one event's features, shape (features,); return the level, its limit being 1."""
        self.moved += RATE * (features - self._usual - self.moved)
        return self.level

    def restart(self) -> None:
        """Forget what was seen."""
        self.moved[:] = 0

    def snapshot(self) -> Snapshot:
        """Return the state as JSON."""
        return {"moved": [float(value) for value in self.moved]}

    def restore(self, snapshot: Snapshot) -> None:
        """Take on the state that :meth:`snapshot` returned."""
        moved = snapshot["moved"]
        if not isinstance(moved, list):
            raise TypeError("not the snapshot of an average")
        self.moved[:] = np.array(moved, np.float32)


class Charted:
    """What detectors have in common whose state is the average of one chart.

    Args:
        chart: What is usual.
    """

    def __init__(self, chart: Chart) -> None:
        self._promise = chart.promise
        self._average = Average(chart)

    @property
    def promise(self) -> Promise:
        """What was calibrated."""
        return self._promise

    @property
    def level(self) -> float:
        """How far the chart stands, its limit being 1."""
        return self._average.level

    def snapshot(self) -> Snapshot:
        """Return the state as JSON."""
        return self._average.snapshot()

    def restore(self, snapshot: Snapshot) -> None:
        """Take on the state that :meth:`snapshot` returned."""
        self._average.restore(snapshot)
