"""Drift of embeddings: two charts, one of what the stream is about, one of what it never was."""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from monitors.drift.detector import Alarm, Promise
from monitors.drift.run_lengths import Floats, Rows
from monitors.monitor import Snapshot

MIX = "mix"
STRANGE = "strange"
MIX_RATE = np.float32(0.04)
STRANGE_RATE = np.float32(0.07)
"""What a text counts in each chart's average."""
NEIGHBOURS = 5
SLACK = 1.5
"""Standard deviations beyond the usual distance from which a text counts as strange."""
_GROWN = 3
_TINY = np.float32(1e-9)


@dataclass(frozen=True)
class Features:
    """What the charts see of texts.

    Attributes:
        mix: Their directions, shape (texts, axes).
        strange: How far beyond the usual they lie from all of the reference, shape (texts,).
    """

    mix: Floats
    strange: Floats

    def __getitem__(self, rows: Rows) -> Features:
        """Return those of some texts."""
        return Features(self.mix[rows], self.strange[rows])


@dataclass(frozen=True)
class Space:
    """Where texts lie relative to a reference of ``n`` texts.

    Attributes:
        axes: The reference's leading directions, orthonormal, shape (width, axes).
        rows: Its vectors on them, shape (n, axes).
        centre: The mean of those, shape (axes,).
        scale: What makes small directions count, shape (axes,).
        direction: Mean direction of its texts, shape (axes,).
        distance: Mean and standard deviation of the distance of its texts to their neighbours.
        excess: Mean of what of that, in standard deviations, goes beyond :data:`SLACK`.
    """

    axes: Floats
    rows: Floats
    centre: Floats
    scale: Floats
    direction: Floats
    distance: tuple[float, float]
    excess: float

    def features(self, vectors: Floats) -> Features:
        """Return what the charts see of texts with these unit vectors, shape (texts, width)."""
        placed: Floats = vectors @ self.axes
        near, around = neighbourhood(placed @ self.rows.T, self.rows)
        towards = unit((placed + around - 2 * self.centre) * self.scale)
        return Features(
            towards - self.direction, beyond(1 - near, self.distance) - np.float32(self.excess)
        )

    def features_of_one(self, vector: Floats) -> tuple[Floats, np.float32]:
        """Return the same of one text, shape (width,), in the least time."""
        placed = vector @ self.axes
        likeness = self.rows @ placed
        first = len(likeness) - NEIGHBOURS
        nearest = np.argpartition(likeness, first)[first:]
        placed += np.add.reduce(self.rows[nearest]) / np.float32(NEIGHBOURS)
        placed -= 2 * self.centre
        placed *= self.scale
        placed /= np.sqrt(placed @ placed) + _TINY
        placed -= self.direction
        mean, spread = self.distance
        distance = 1 - float(np.add.reduce(likeness[nearest])) / NEIGHBOURS
        return placed, np.float32(max(0.0, (distance - mean) / spread - SLACK) - self.excess)


@dataclass(frozen=True)
class EmbeddingReference:
    """A stretch of a deployment's texts that counts as usual, and what was calibrated on it.

    Attributes:
        space: Where texts lie relative to it.
        limits: The limit of each chart, mix and strange.
        topics: Names of its topics.
        places: Where each topic's texts lie, unit vectors, shape (topics, axes).
        promise: The run length stated.
    """

    space: Space
    limits: tuple[float, float]
    topics: tuple[str, ...]
    places: Floats
    promise: Promise

    def grown(self, mix: Floats) -> tuple[str, ...]:
        """Return the topics towards which the mix has moved, most first; ``mix`` is (axes,)."""
        likeness = self.places @ mix
        first = np.argsort(-likeness, kind="stable")[:_GROWN]
        return tuple(self.topics[index] for index in first if likeness[index] > 0)


def advance(
    mix: Floats, strange: npt.NDArray[np.float32], seen: Features
) -> tuple[Floats, npt.NDArray[np.float32]]:
    """Return both charts' averages after one more text on each of several streams.

    Args:
        mix: Averages of directions before, shape (streams, axes).
        strange: Averages of strangeness before, shape (streams,).
        seen: One text a stream.
    """
    return mix + MIX_RATE * (seen.mix - mix), strange + STRANGE_RATE * (seen.strange - strange)


def levels(
    mix: Floats, strange: npt.NDArray[np.float32]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return how far each stream's averages have moved, by chart, shapes (streams,)."""
    return np.einsum("ij,ij->i", mix, mix), strange


class EmbeddingDrift:
    """Raise an alarm when texts are about other things than the reference, or in another mix.

    Two charts under one stated average run length. *Mix* is a multivariate EWMA of directions: each
    text's vector on the reference's leading components, scaled so that small ones count, averaged
    with its nearest neighbours in the reference, at length one. It sees topics that grow or shrink.
    *Strange* is an EWMA of how far a text's distance to its nearest neighbours goes beyond the
    usual by more than one and a half standard deviations. It sees what the reference never had.

    The state is two averages; the reference is shared and does not change.

    Args:
        reference: What is usual, see :func:`monitors.drift.fitting.fit_embeddings`.

    References:
        C. A. Lowry et al., "A multivariate exponentially weighted moving average control chart",
        Technometrics 34 (1992).
    """

    def __init__(self, reference: EmbeddingReference) -> None:
        self._reference = reference
        self._space = reference.space
        self._mix: Floats = np.zeros_like(self._space.direction)
        self._strange = np.float32(0)

    @property
    def promise(self) -> Promise:
        """What was calibrated."""
        return self._reference.promise

    @property
    def level(self) -> float:
        """How far the chart that stands further stands, its limit being 1."""
        return max(self._levels())

    def update(self, value: Floats) -> Alarm | None:
        """Take in a text's unit vector, shape (width,); return an alarm if there is one."""
        mix, strange = self._space.features_of_one(value)
        mix -= self._mix
        mix *= MIX_RATE
        self._mix += mix
        self._strange += STRANGE_RATE * (strange - self._strange)
        of_mix, of_strange = self._levels()
        if of_mix <= 1 and of_strange <= 1:
            return None
        alarm = Alarm(
            MIX if of_mix >= of_strange else STRANGE,
            max(of_mix, of_strange),
            self._reference.grown(self._mix),
        )
        self._restart()
        return alarm

    def snapshot(self) -> Snapshot:
        """Return the state as JSON, less than 2 kB."""
        return {"mix": b64encode(self._mix.tobytes()).decode(), "strange": float(self._strange)}

    def restore(self, snapshot: Snapshot) -> None:
        """Take on the state that :meth:`snapshot` returned."""
        mix, strange = snapshot["mix"], snapshot["strange"]
        if not isinstance(mix, str) or not isinstance(strange, float):
            raise TypeError("not the snapshot of this detector")
        self._mix[:] = np.frombuffer(b64decode(mix), np.float32)
        self._strange = np.float32(strange)

    def _levels(self) -> tuple[float, float]:
        most_mix, most_strange = self._reference.limits
        return float(self._mix @ self._mix) / most_mix, float(self._strange) / most_strange

    def _restart(self) -> None:
        self._mix[:] = 0
        self._strange = np.float32(0)


def neighbourhood(likeness: Floats, rows: Floats) -> tuple[Floats, Floats]:
    """Return how like its nearest neighbours each text is, and the mean of their vectors.

    Args:
        likeness: Of each text with each of ``rows``, shape (texts, n).
        rows: The reference, shape (n, axes).
    """
    first = likeness.shape[1] - NEIGHBOURS
    nearest = np.argpartition(likeness, first, axis=1)[:, first:]
    near = np.take_along_axis(likeness, nearest, axis=1).mean(axis=1)
    return near, rows[nearest].mean(axis=1)


def unit(rows: Floats) -> Floats:
    """Return ``rows`` at length one, shape (rows, axes)."""
    scaled: Floats = rows / (np.linalg.norm(rows, axis=1, keepdims=True) + _TINY)
    return scaled


def beyond(distance: Floats, usual: tuple[float, float]) -> Floats:
    """Return by how many standard deviations distances go beyond :data:`SLACK` of them; 0 below."""
    mean, spread = np.float32(usual[0]), np.float32(usual[1])
    more: Floats = np.maximum(0, (distance - mean) / spread - np.float32(SLACK))
    return more
