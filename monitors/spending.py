"""What a deployment's answers cost, and what the day will come to."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from schemas.registry import Price
from schemas.requests import Usage

WINDOW = timedelta(hours=1)
"""What is spent in it, is taken to be spent in every hour that the day has left."""
LEAST = timedelta(minutes=10)
_MINUTE_S = 60
_KEPT_MINUTES = WINDOW // timedelta(minutes=1)


class _Minute(NamedTuple):
    """What was spent in one minute, counted from the epoch."""

    number: int
    usd: float


@dataclass
class Spending:
    """What was spent on a day, in UTC, and within the last hour; a part of a monitor's state."""

    day: int = 0
    usd: dict[str, float] = field(default_factory=dict)
    minutes: list[_Minute] = field(default_factory=list)
    since_at: datetime | None = None

    def add(self, pool: str, usd: float, at: datetime) -> None:
        """Take in what one answer cost; a late one counts for the latest day and minute."""
        number = int(at.timestamp()) // _MINUTE_S
        self.since_at = self.since_at or datetime.fromtimestamp(number * _MINUTE_S, UTC)
        self.turn(at)
        self.usd[pool] = self.usd.get(pool, 0.0) + usd
        last = _Minute(number, 0.0)
        if self.minutes and self.minutes[-1].number >= number:
            last = self.minutes.pop()
        self.minutes = [*self.minutes, last._replace(usd=last.usd + usd)][-_KEPT_MINUTES:]

    def turn(self, at: datetime) -> None:
        """Begin a new day, if ``at`` is on one."""
        day = int(at.timestamp()) // 86_400
        if day > self.day:
            self.day, self.usd = day, {}

    def today(self) -> float:
        """Return what the day has cost so far, in USD."""
        return sum(self.usd.values())

    def projected(self, at: datetime) -> float | None:
        """Return what the day will cost if it goes on as in the last hour, in USD.

        None while less than ten minutes are known.
        """
        known = at - self.since_at if self.since_at else timedelta(0)
        if known < LEAST:
            return None
        first = int(at.timestamp()) // _MINUTE_S - _KEPT_MINUTES
        spent = sum(minute.usd for minute in self.minutes if minute.number > first)
        left_s = 86_400 * (self.day + 1) - at.timestamp()
        return self.today() + spent * left_s / min(known, WINDOW).total_seconds()


def cost_usd(usage: Usage, price: Price) -> float:
    """Return what one answer costs.

    >>> price = Price(prompt=1.0, cached=0.5, completion=4.0)
    >>> cost_usd(Usage(prompt_tokens=1000, cached_tokens=400, completion_tokens=100), price)
    0.0012
    """
    cached = price.prompt if price.cached is None else price.cached
    prompt = (usage.prompt_tokens - usage.cached_tokens) * price.prompt
    whole = prompt + usage.cached_tokens * cached + usage.completion_tokens * price.completion
    return whole / 1_000_000
