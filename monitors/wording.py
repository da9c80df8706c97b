"""How findings put figures into words."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime


def percent(rate: float) -> str:
    """Return a rate as a percentage.

    >>> percent(0.384), percent(0.004), percent(0)
    ('38 %', '0.4 %', '0 %')
    """
    value = rate * 100
    return f"{value:.1f} %" if 0 < value < 10 else f"{value:.0f} %"


def seconds(value_s: float) -> str:
    """Return a duration with two significant digits or so.

    >>> seconds(0.0421), seconds(1.26), seconds(48.2)
    ('42 ms', '1.3 s', '48 s')
    """
    if value_s < 1:
        return f"{value_s * 1000:.0f} ms"
    return f"{value_s:.1f} s" if value_s < 10 else f"{value_s:.0f} s"


def clock(at: datetime) -> str:
    """Return the time of day in UTC.

    >>> clock(datetime(2024, 5, 1, 12, 3, 10, tzinfo=UTC))
    '12:03:10'
    """
    return at.astimezone(UTC).strftime("%H:%M:%S")


def examples(request_ids: Iterable[str], most: int = 3) -> str:
    """Return a clause that names a few requests; nothing if there are none.

    >>> examples(["r12", "r15", "r16", "r18"])
    '; e.g. r12, r15, r16'
    """
    named = list(request_ids)[:most]
    return f"; e.g. {', '.join(named)}" if named else ""
