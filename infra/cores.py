"""Which cores each worker computes on, so that two models on one machine do not share a core."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise


def spread(cores: Sequence[int], workers: int) -> list[tuple[int, ...]]:
    """Return the cores of each worker: apart while there are enough of them.

    What does not divide evenly goes to the last workers, which serve the larger models.

    Args:
        cores: The cores there are, in order.
        workers: How many workers share them.

    >>> spread([0, 1, 2, 3, 4], 2)
    [(0, 1), (2, 3, 4)]
    >>> spread([0, 1], 3)
    [(0,), (1,), (0,)]
    """
    if workers > len(cores):
        return [(cores[index % len(cores)],) for index in range(workers)]
    bounds = [index * len(cores) // workers for index in range(workers + 1)] if workers else []
    return [tuple(cores[low:high]) for low, high in pairwise(bounds)]
