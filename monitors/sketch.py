"""Quantiles of a stream in little memory, to within one per cent."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from math import ceil, exp, log

_STEP = log(1.02)
_LEAST = 1e-4


@dataclass
class LogSketch:
    """Count values in buckets that grow by 2 %, so that every quantile is within 1 % of the truth.

    Values below 0.0001 count as that. From there to a million there are 1,163 buckets, and only
    those in use are kept. Sketches of parts of a stream add up to the sketch of the whole.

    References:
        C. Masson, J. E. Rim, H. K. Lee, "DDSketch", PVLDB 12 (2019).

    >>> sketch = LogSketch()
    >>> for value in range(1, 1001):
    ...     sketch.add(value)
    >>> [round(sketch.quantile(q)) for q in (0.5, 0.95, 1.0)]
    [497, 955, 993]
    """

    total: int = 0
    buckets: Counter[int] = field(default_factory=Counter)

    def add(self, value: float) -> None:
        """Count ``value``."""
        self.total += 1
        self.buckets[ceil(log(max(value, _LEAST)) / _STEP)] += 1

    def merge(self, other: LogSketch) -> None:
        """Count everything that ``other`` has counted."""
        self.total += other.total
        self.buckets.update(other.buckets)

    def quantile(self, share: float) -> float:
        """Return the value that ``share`` (0 to 1) of the values do not exceed.

        Raises:
            ValueError: If nothing was counted.
        """
        if not self.total:
            raise ValueError("an empty sketch has no quantiles")
        left = max(1, ceil(share * self.total))
        for bucket in sorted(self.buckets):
            left -= self.buckets[bucket]
            if left <= 0:
                return exp((bucket - 0.5) * _STEP)
        return exp((max(self.buckets) - 0.5) * _STEP)
