"""Intervals that hold however often one looks: confidence sequences for rates and means.

An ordinary 95 % interval is right 95 times in 100 if it is looked at once. A monitor looks after
every event, and sooner or later such an interval misses the truth for certain. Those here miss it,
at any time in the life of a stream, with a probability of at most ``alpha``.

All of them are sums, so the state is a few numbers, and parts of a stream add up to the whole. They
suppose that the chance behind the stream stays what it is; after a change they speak of neither
before nor after, so whoever follows a stream for long starts them afresh now and then.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import exp, inf, lgamma, log, log1p, sqrt

Interval = tuple[float, float]

ALPHA = 0.05
_HALVINGS = 60
_BETS = tuple(0.9 * 2.0**-step for step in range(12))
_BET_COSTS = tuple(-log1p(-bet) - bet for bet in _BETS)


@dataclass
class Rate:
    """How often something happens, out of how many times it might have.

    The evidence against a rate is the likelihood of what was seen, averaged over all rates by
    Jeffreys' prior, over its likelihood at that rate. While that rate is the true one, this is a
    martingale that begins at 1, so that it ever exceeds 1 / ``alpha`` with a chance of ``alpha`` at
    most (Ville); the interval holds the rates against which it does not.

    Attributes:
        hits: How often it happened.
        total: How often it might have.

    References:
        H. Robbins, "Statistical methods related to the law of the iterated logarithm", Ann. Math.
        Stat. 41 (1970); S. Howard, A. Ramdas, J. McAuliffe, J. Sekhon, "Time-uniform,
        nonparametric, nonasymptotic confidence sequences", Ann. Stat. 49 (2021).

    >>> low, high = Rate(hits=30, total=100).interval()
    >>> round(low, 3), round(high, 3)
    (0.166, 0.463)
    """

    hits: int = 0
    total: int = 0

    def add(self, hit: bool) -> None:
        """Count one time."""
        self.hits += hit
        self.total += 1

    def merge(self, other: Rate) -> None:
        """Count everything that ``other`` has counted."""
        self.hits += other.hits
        self.total += other.total

    @property
    def value(self) -> float:
        """The share of times it happened; 0 of none."""
        return self.hits / self.total if self.total else 0.0

    def evidence(self, rate: float) -> float:
        """Return the logarithm of the evidence against ``rate``, 0 to 1."""
        return self._averaged() - self._likelihood(rate)

    def interval(self, alpha: float = ALPHA) -> Interval:
        """Return the rates that are not ruled out, lowest and highest."""
        limit = self._averaged() - log(1 / alpha)
        centre = self.value if self.total else 0.5

        def ruled_out(rate: float) -> bool:
            return self._likelihood(rate) <= limit

        return (
            _border(ruled_out, 0.0, centre) if self.hits else 0.0,
            _border(ruled_out, 1.0, centre) if self.hits < self.total else 1.0,
        )

    def _averaged(self) -> float:
        """Return the logarithm of the likelihood, averaged by Jeffreys' prior."""
        misses = self.total - self.hits
        return _log_beta(self.hits + 0.5, misses + 0.5) - _log_beta(0.5, 0.5)

    def _likelihood(self, rate: float) -> float:
        """Return its logarithm at ``rate``."""
        misses = self.total - self.hits
        if (rate <= 0 and self.hits) or (rate >= 1 and misses):
            return -inf
        hit = self.hits * log(rate) if self.hits else 0.0
        return hit + (misses * log1p(-rate) if misses else 0.0)

    def _leaning(self, slope: float) -> float:
        """Return the rate at which the evidence rises by ``slope``, which is above 0."""
        rest = self.total - slope
        root = sqrt(rest * rest + 4 * slope * self.hits)
        return 2 * self.hits / (rest + root) if rest > 0 else (root - rest) / (2 * slope)

    def _opposite(self) -> Rate:
        return Rate(self.total - self.hits, self.total)


@dataclass(frozen=True)
class Gap:
    """Two rates of streams of their own side by side, each counted whenever it may be.

    Evidence against a pair of rates is that against the one and that against the other; the pairs
    that are not ruled out make one set, from which both intervals are read, so both hold together.
    This is a good deal narrower than the difference of two intervals.

    Args:
        rate: The rate of interest.
        reference: The one it is compared with.

    References:
        R. Turner, P. Grunwald, "Exact anytime-valid confidence intervals for contingency tables",
        Statistics and Probability Letters 198 (2023).

    >>> gap = Gap(Rate(hits=300, total=1000), Rate(hits=200, total=1000))
    >>> [round(end, 3) for end in (*gap.difference(), *gap.ratio())]
    [0.012, 0.187, 1.05, 2.176]
    """

    rate: Rate
    reference: Rate

    def evidence(self, rate: float, reference: float) -> float:
        """Return the logarithm of the evidence against this pair of rates."""
        return self.rate.evidence(rate) + self.reference.evidence(reference)

    def difference(self, alpha: float = ALPHA) -> Interval:
        """Return the least and the largest ``rate - reference`` that are not ruled out."""
        return (
            -_largest_difference(self.reference, self.rate, alpha),
            _largest_difference(self.rate, self.reference, alpha),
        )

    def ratio(self, alpha: float = ALPHA) -> Interval:
        """Return the least and the largest ``rate / reference`` that are not ruled out."""
        return (
            1 / _largest_ratio(self.reference, self.rate, alpha),
            _largest_ratio(self.rate, self.reference, alpha),
        )


@dataclass
class BoundedMean:
    """The mean of values between 0 and 1; the less they vary, the narrower its interval.

    Bets of several sizes that the mean is higher, or lower, than claimed: their average gain is a
    supermartingale while the claim is true, each bet paying for how far the values lay from what
    was foreseen.

    Attributes:
        total: How many values.
        sum: Their sum.
        surprise: The sum of their squared distances from the mean of those before.

    References:
        I. Waudby-Smith, A. Ramdas, "Estimating means of bounded random variables by betting",
        JRSS B 86 (2024), section 3; X. Fan, I. Grama, Q. Liu, "Exponential inequalities for
        martingales with applications", EJP 20 (2015): what a bet has to pay.

    >>> mean = BoundedMean()
    >>> for number in range(1000):
    ...     mean.add(0.2 + 0.1 * (number % 2))
    >>> low, high = mean.interval()
    >>> round(low, 3), round(high, 3)
    (0.239, 0.261)
    """

    total: int = 0
    sum: float = 0.0
    surprise: float = 0.0

    def add(self, value: float) -> None:
        """Take in one value.

        Raises:
            ValueError: If it is not between 0 and 1.
        """
        if not 0 <= value <= 1:
            raise ValueError(f"{value!r} is not between 0 and 1")
        foreseen = (self.sum + 0.5) / (self.total + 1)
        self.surprise += (value - foreseen) ** 2
        self.sum += value
        self.total += 1

    def merge(self, other: BoundedMean) -> None:
        """Take in everything that ``other`` has taken in."""
        self.total += other.total
        self.sum += other.sum
        self.surprise += other.surprise

    @property
    def value(self) -> float:
        """The mean so far; 0 of none."""
        return self.sum / self.total if self.total else 0.0

    def evidence(self, mean: float) -> float:
        """Return the logarithm of the evidence against ``mean``, whichever side it is on."""
        return self._gain(abs(self.sum - self.total * mean)) - log(2)

    def interval(self, alpha: float = ALPHA) -> Interval:
        """Return the means that are not ruled out, lowest and highest."""
        if not self.total:
            return 0.0, 1.0
        limit = log(2 / alpha)
        half = _border(lambda d: self._gain(d) >= limit, float(self.total), 0.0) / self.total
        return max(0.0, self.value - half), min(1.0, self.value + half)

    def _gain(self, distance: float) -> float:
        """Return the logarithm of the bets' average gain where the sum lies ``distance`` off."""
        gains = [
            bet * distance - cost * self.surprise
            for bet, cost in zip(_BETS, _BET_COSTS, strict=True)
        ]
        top = max(gains)
        return top + log(sum(exp(gain - top) for gain in gains) / len(gains))


def difference(
    one: Rate | BoundedMean, other: Rate | BoundedMean, alpha: float = ALPHA
) -> Interval:
    """Return the least and the largest ``one - other`` that are not ruled out.

    Of two rates it is that of their :class:`Gap`; otherwise both intervals are made to hold
    together.

    >>> one, other = BoundedMean(), BoundedMean()
    >>> for _ in range(1000):
    ...     one.add(0.3)
    ...     other.add(0.2)
    >>> [round(end, 2) for end in difference(one, other)]
    [0.08, 0.12]
    """
    if isinstance(one, Rate) and isinstance(other, Rate):
        return Gap(one, other).difference(alpha)
    first, second = one.interval(alpha / 2), other.interval(alpha / 2)
    return first[0] - second[1], first[1] - second[0]


def _largest_difference(one: Rate, other: Rate, alpha: float) -> float:
    """Return the largest ``one - other`` not ruled out: where both slopes are the same."""

    def at(slope: float) -> tuple[float, float]:
        return one._leaning(slope), 1 - other._opposite()._leaning(slope)

    high = 1.0
    while not _ruled_out(one, other, at(high), alpha) and high < 1e15:
        high *= 2
    slope = _border(lambda slope: _ruled_out(one, other, at(slope), alpha), high, 0.0)
    first, second = at(slope)
    return first - second


def _largest_ratio(one: Rate, other: Rate, alpha: float) -> float:
    """Return the largest ``one / other`` not ruled out; infinite if ``other`` may be 0.

    There the evidence against both grows by the same for the same factor, the shift, which rises up
    to the other's hits as its rate falls to 0.
    """
    if not other.hits:
        return inf

    def at(way: float) -> tuple[float, float]:
        if other.hits < other.total:
            lower = other.value * (1 - way)
            shift = (other.hits - other.total * lower) / (1 - lower)
        else:
            lower = min(1.0, 2 * (1 - way))
            shift = other.hits * min(1.0, 2 * way)
        return (one.hits + shift) / (one.total + shift), lower

    way = _border(lambda way: _ruled_out(one, other, at(way), alpha), 1.0, 0.0)
    first, second = at(way)
    return first / second if second else inf


def _ruled_out(one: Rate, other: Rate, rates: tuple[float, float], alpha: float) -> bool:
    return one.evidence(rates[0]) + other.evidence(rates[1]) >= log(1 / alpha)


def _border(ruled_out: Callable[[float], bool], outside: float, inside: float) -> float:
    """Return the point next to ``inside`` that is ruled out, all beyond it towards ``outside``."""
    for _ in range(_HALVINGS):
        middle = (outside + inside) / 2
        if ruled_out(middle):
            outside = middle
        else:
            inside = middle
    return outside


def _log_beta(a: float, b: float) -> float:
    return lgamma(a) + lgamma(b) - lgamma(a + b)
