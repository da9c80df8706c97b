"""What is attacked: a learned guard, texts that it has to find, and how sure it is of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Protocol

from infra.robustness.features import Surface
from infra.robustness.sample import Sample

Part = Literal["fit", "report", "all"]


class Target(Protocol):
    """A learned guard as an attacker meets it, with texts that it has to find.

    Attributes:
        guard: The guard's name.
        version: Its version, and that of its model where the model has one of its own.
        threshold: The score from which it speaks as shipped.
        epsilons: How far features are moved, see :class:`infra.robustness.features.Surface`.
    """

    guard: str
    version: str
    threshold: float
    epsilons: tuple[float, ...]

    @property
    def samples(self) -> list[Sample]:
        """Texts that it has to find, in an order that no seed decides."""
        ...

    def scores(self, samples: Sequence[Sample]) -> list[float]:
        """Return how sure the guard is of what must be found in each sample, 0 to 1."""
        ...

    def surface(self, sample: Sample) -> Surface:
        """Return the sample as the guard's model sees it."""
        ...


class Meet(Protocol):
    """Makes a target."""

    def __call__(self, data: Path | None, part: Part) -> Target:
        """Return the target with its texts.

        Args:
            data: Rows of the shape that the guard's evaluation reads; texts of our own if None.
            part: ``fit`` or ``report``, one half of the data by a fixed hash, or ``all``.

        Raises:
            ConfigError: If ``data`` cannot be used.
        """
        ...
