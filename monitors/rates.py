"""One rate against what it was at first: when it rose, and when it is back."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from math import exp, lgamma, log
from typing import Literal

CONFIDENCE = 0.99
EXEMPLARS_MAX = 10
_HOPELESS = 0.9
"""A usual rate from which a rise can no longer be told from the usual."""


@dataclass(frozen=True)
class Shift:
    """What a rate did.

    Args:
        kind: It left the usual (``detection``) or came back to it (``recovery``).
        rate: The rate since ``since_at``.
        samples: How many items that is.
        since_at: When it began, as estimated.
        exemplars: Requests that show a rise, the latest first.
    """

    kind: Literal["detection", "recovery"]
    rate: float
    samples: int
    since_at: datetime
    exemplars: tuple[str, ...]


@dataclass
class RateShift:
    """Say once when a rate has risen, and once when it is back, with a stated false-alarm rate.

    A cumulative sum of log likelihood ratios (CUSUM) of the rate ``shifted`` against ``usual``,
    held at 0 from below. While the rate is at most ``usual``, it takes ``arl`` items on average,
    or more, to a false alarm, because exp of a step has a mean of at most 1 then. A step may stand
    for several items that are not independent of each other, such as all answers of one moment:
    the mean of their steps keeps that property. While a shift lasts, the same sum the other way
    round waits for the end.

    Attributes:
        usual: The highest rate that counts as usual.
        shifted: The rate it is tuned to find; it finds every rate well above ``usual``.
        baseline: The rate at first, as it is reported.
        arl: The average number of steps between false alarms, at least.
        back_arl: The same for saying too early that it is over.
        dependence: How many items in a row say as little as one that is independent of the others;
            every step counts for that much less.

    References:
        G. Lorden, "Procedures for reacting to a change in distribution", Ann. Math. Stat. 42
        (1971): the bound. J. Shin, A. Ramdas, A. Rinaldo, "E-detectors", arXiv:2203.03532: why it
        holds for steps that need not be independent. P. McCullagh, J. A. Nelder, "Generalized
        Linear Models" (1989), ch. 9: evidence divided by the dispersion.

    >>> from datetime import UTC, datetime
    >>> rate = RateShift.after(hits=1, total=200)
    >>> noon = datetime(2024, 5, 1, 12, tzinfo=UTC)
    >>> items = [False] * 50 + [True, False] * 50
    >>> told = [(n, rate.observe(hit, 1, noon)) for n, hit in enumerate(items)]
    >>> [(n, shift.kind, shift.rate) for n, shift in told if shift]
    [(68, 'detection', 0.5263157894736842)]
    """

    usual: float
    shifted: float
    baseline: float
    arl: float = 1_000_000
    back_arl: float = 1_000
    dependence: float = 1.0
    firing: bool = False
    score: float = 0.0
    hits: int = 0
    samples: int = 0
    since_at: datetime | None = None
    exemplars: list[str] = field(default_factory=list)

    @classmethod
    def after(
        cls,
        hits: int,
        total: int,
        *,
        odds: float = 6.0,
        floor: float = 0.0,
        arl: float = 1_000_000,
        dependence: float = 1.0,
    ) -> RateShift:
        """Return one that takes as usual what ``hits`` of the first ``total`` items allow.

        Args:
            hits: How many of the first items had it.
            total: How many first items there were.
            odds: The factor on the odds of ``usual`` that makes ``shifted``.
            floor: The least that counts as usual, whatever the first items say.
            arl: See the class.
            dependence: See the class.
        """
        usual = max(floor, upper_bound(hits, total))
        shifted = odds * usual / (1 - usual + odds * usual)
        return cls(
            usual=usual,
            shifted=shifted,
            baseline=hits / max(1, total),
            arl=arl,
            dependence=dependence,
        )

    def observe(
        self, hits: int, total: int, at: datetime, exemplars: tuple[str, ...] = ()
    ) -> Shift | None:
        """Take in one step of ``total`` items, ``hits`` of which have it; tell if that changes it.

        Args:
            hits: How many of the items have it.
            total: How many items, which may depend on each other; 1 at least.
            at: When.
            exemplars: The requests behind the hits.
        """
        if self.usual >= _HOPELESS:
            return None
        up, down = log(self.shifted / self.usual), log((1 - self.shifted) / (1 - self.usual))
        step = (hits * up + (total - hits) * down) / (total * self.dependence)
        self.score = max(0.0, self.score + (-step if self.firing else step))
        if self.score == 0.0:
            self._restart()
            return None
        self.since_at = self.since_at or at
        self.hits += hits
        self.samples += total
        fresh = [one for one in exemplars if one not in self.exemplars]
        self.exemplars = [*reversed(fresh), *self.exemplars][:EXEMPLARS_MAX]
        if self.progress < 1:
            return None
        self.firing = not self.firing
        shift = Shift(
            "detection" if self.firing else "recovery",
            rate=self.hits / self.samples,
            samples=self.samples,
            since_at=self.since_at,
            exemplars=tuple(self.exemplars) if self.firing else (),
        )
        self._restart()
        return shift

    @property
    def progress(self) -> float:
        """How much of the evidence for the next shift there is, 0 to 1."""
        return self.score / log(self.back_arl if self.firing else self.arl)

    def _restart(self) -> None:
        self.score = 0.0
        self.hits = self.samples = 0
        self.since_at = None
        self.exemplars = []


def upper_bound(hits: int, total: int, confidence: float = CONFIDENCE) -> float:
    """Return the highest rate that ``hits`` of ``total`` are still compatible with.

    References:
        C. J. Clopper, E. S. Pearson, "The use of confidence or fiducial limits", Biometrika 26
        (1934).

    >>> round(upper_bound(0, 200), 4), round(upper_bound(20, 200), 4), upper_bound(5, 5)
    (0.0228, 0.1601, 1.0)
    """
    if hits >= total:
        return 1.0
    low, high = hits / total, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        if _at_most(hits, total, middle) > 1 - confidence:
            low = middle
        else:
            high = middle
    return high


def _at_most(hits: int, total: int, rate: float) -> float:
    """Return the chance of at most ``hits`` of ``total`` at ``rate``, in (0, 1)."""
    whole = lgamma(total + 1)
    return sum(
        exp(
            whole
            - lgamma(k + 1)
            - lgamma(total - k + 1)
            + k * log(rate)
            + (total - k) * log(1 - rate)
        )
        for k in range(hits + 1)
    )
