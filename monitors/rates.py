"""One rate against what it was at first: when it rose, and when it is back."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from math import exp, lgamma, log
from typing import Literal

CONFIDENCE = 0.99
SURER = log(10)
"""By how much evidence must grow, in nats, before a shift that lasts is told again."""
SURE_ENOUGH = 35.0
"""Evidence, in nats, beyond which that is not done any more."""
_WEIGHT = 0.474
"""Makes the weights of all beginnings of a day add up to 1."""
EXEMPLARS_MAX = 10
_HOPELESS = 0.9
"""A usual rate from which a rise can no longer be told from the usual."""


@dataclass(frozen=True)
class Shift:
    """What a rate did.

    Args:
        kind: It left the usual (``detection``), came back to it (``recovery``), or is still away,
            which is ten times as sure as when that was last told (``value``).
        rate: The rate since ``since_at``.
        samples: How many items that is.
        since_at: When it began, as estimated.
        exemplars: Requests that show a rise, the latest first.
        e_value: Evidence that it is no chance; see :class:`RateShift`. None of a recovery.
    """

    kind: Literal["detection", "recovery", "value"]
    rate: float
    samples: int
    since_at: datetime
    exemplars: tuple[str, ...]
    e_value: float | None = None


@dataclass
class _Rise:
    """A rise that was told, and how sure it is by now, in nats."""

    since_at: datetime
    ratio: float
    told: float
    hits: int
    samples: int


@dataclass
class RateShift:
    """Say once when a rate has risen, and once when it is back, with a stated false-alarm rate.

    A cumulative sum of log likelihood ratios (CUSUM) of the rate ``shifted`` against ``usual``,
    held at 0 from below. While the rate is at most ``usual``, it takes ``arl`` items on average,
    or more, to a false alarm, because exp of a step has a mean of at most 1 then. A step may stand
    for several items that are not independent of each other, such as all answers of one moment:
    the mean of their steps keeps that property. While a shift lasts, the same sum the other way
    round waits for the end, and the first sum goes on: it makes the shift surer.

    The e-value of a shift is at least 1 / alpha on at most a share alpha of the days on which the
    rate is at most ``usual``, whenever one looks: it is a sum, over all items of the day, of the
    likelihood ratio since that item, with weights that add up to 1, of which only the term since
    ``since_at`` is taken.

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
        holds for steps that need not be independent, and the e-value. P. McCullagh, J. A. Nelder,
        "Generalized Linear Models" (1989), ch. 9: evidence divided by the dispersion.

    >>> from datetime import UTC, datetime
    >>> rate = RateShift.after(hits=1, total=200)
    >>> noon = datetime(2024, 5, 1, 12, tzinfo=UTC)
    >>> items = [False] * 50 + [True, False] * 50
    >>> told = [(n, rate.observe(hit, 1, noon)) for n, hit in enumerate(items)]
    >>> [(n, shift.kind, shift.rate) for n, shift in told if shift][:2]
    [(68, 'detection', 0.5263157894736842), (72, 'value', 0.5217391304347826)]
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
    day: int = 0
    steps: int = 0
    began: int = 0
    rise: _Rise | None = None

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
        self._count(at)
        if self.rise is not None:
            self.rise.ratio += step
            self.rise.hits += hits
            self.rise.samples += total
        self.score = max(0.0, self.score + (-step if self.firing else step))
        if self.score == 0.0:
            self._restart()
            return self._surer(exemplars)
        if self.since_at is None:
            self.since_at = at
            if not self.firing:
                self.began = self.steps
        self.hits += hits
        self.samples += total
        fresh = [one for one in exemplars if one not in self.exemplars]
        self.exemplars = [*reversed(fresh), *self.exemplars][:EXEMPLARS_MAX]
        if self.progress < 1:
            return self._surer(exemplars)
        self.firing = not self.firing
        if self.firing:
            self.rise = _Rise(self.since_at, self.score, self.score, self.hits, self.samples)
        else:
            self.rise = None
        shift = Shift(
            "detection" if self.firing else "recovery",
            rate=self.hits / self.samples,
            samples=self.samples,
            since_at=self.since_at,
            exemplars=tuple(self.exemplars) if self.firing else (),
            e_value=self._e_value(),
        )
        self._restart()
        return shift

    @property
    def progress(self) -> float:
        """How much of the evidence for the next shift there is, 0 to 1."""
        return self.score / log(self.back_arl if self.firing else self.arl)

    def _count(self, at: datetime) -> None:
        """Number the steps of each day from 1."""
        if at.toordinal() != self.day:
            self.day, self.steps = at.toordinal(), 0
        self.steps += 1

    def _surer(self, exemplars: tuple[str, ...]) -> Shift | None:
        """Return that the shift goes on, if that has become much surer."""
        rise = self.rise
        if rise is None or rise.told > SURE_ENOUGH or rise.ratio < rise.told + SURER:
            return None
        rise.told = rise.ratio
        rate = rise.hits / rise.samples
        e_value = self._e_value()
        return Shift("value", rate, rise.samples, rise.since_at, exemplars, e_value)

    def _e_value(self) -> float | None:
        if self.rise is None:
            return None
        weight = _WEIGHT / ((self.began + 1) * log(self.began + 1) ** 2)
        return weight * exp(min(self.rise.ratio, 2 * SURE_ENOUGH))

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
