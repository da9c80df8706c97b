"""How many false alarms a day raises, with one budget and without, and what that costs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from alerts.budget import Budget
from infra.eval.intervals import wilson
from monitors.rates import RateShift

HOURS = 24
WARMUP = 200
SHARP_ODDS = 4.0
SHARE = 0.1
CHANGED = 0.05
"""The share of the segments that changes, where power is measured."""
_MIDNIGHT = datetime(2024, 5, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Setting:
    """How sharp the monitors are.

    Attributes:
        arl: Items between false alarms of one segment, on average, at least.
        learned: Whether what is usual is the upper bound that 200 items give, as the shipped
            monitors have it; else the true rate, at which the stated run length is nearly exact.
    """

    arl: float
    learned: bool

    def monitor(self, base: float, rng: np.random.Generator) -> RateShift:
        """Return the monitor of a segment whose true rate is ``base``."""
        if self.learned:
            return RateShift.after(int(rng.binomial(WARMUP, base)), WARMUP, arl=self.arl)
        odds = SHARP_ODDS * base / (1 - base)
        return RateShift(base, odds / (1 + odds), base, arl=self.arl)


SETTINGS = {"shipped": Setting(100_000, learned=True), "sharp": Setting(1_000, learned=False)}


@dataclass(frozen=True)
class Alarm:
    """A moment at which a segment's monitor spoke, with its evidence."""

    segment: int
    second: float
    items_since_change: int
    is_new: bool
    e_value: float


@dataclass
class _Day:
    """What came of one simulated day."""

    false: int
    found: int
    delays: list[int]


def day(setting: Setting, segments: int, seed: int, changed: int) -> tuple[list[Alarm], int]:
    """Return every word of the monitors on one day, in order of time, and how many items came.

    Each segment has 30 to 3,000 items a day, of which 0.2 to 20 % are hits. The first ``changed``
    segments rise, 3 to 10 times in odds, at a random time.

    Args:
        setting: How sharp the monitors are.
        segments: How many there are.
        seed: Decides everything.
        changed: How many of them change.
    """
    rng = np.random.default_rng(seed)
    alarms: list[Alarm] = []
    total = 0
    for segment in range(segments):
        base = np.exp(rng.uniform(np.log(0.002), np.log(0.2)))
        monitor = setting.monitor(float(base), rng)
        many = int(np.exp(rng.uniform(np.log(30), np.log(3000))))
        total += many
        seconds = np.sort(rng.uniform(0, 3600 * HOURS, many))
        odds = base / (1 - base) * np.exp(rng.uniform(np.log(3), np.log(10)))
        changes_at = rng.uniform(0.1, 0.7) * 3600 * HOURS if segment < changed else np.inf
        rates = np.where(seconds >= changes_at, odds / (1 + odds), base)
        first = int(np.searchsorted(seconds, changes_at))
        for number, hit in enumerate((rng.random(many) < rates).tolist()):
            second = float(seconds[number])
            shift = monitor.observe(int(hit), 1, _MIDNIGHT + timedelta(seconds=second))
            if shift is not None and shift.e_value is not None:
                is_new = shift.kind == "detection"
                alarms.append(Alarm(segment, second, number + 1 - first, is_new, shift.e_value))
    alarms.sort(key=lambda alarm: alarm.second)
    return alarms, total


def _judged(alarms: list[Alarm], changed: int, budget: Budget | None) -> _Day:
    """Return which alarms would have been told: all new ones, or those the budget lets through."""
    open_segments: set[int] = set()
    false, delays, found = 0, [], set()
    for alarm in alarms:
        at = _MIDNIGHT + timedelta(seconds=alarm.second)
        if alarm.is_new:
            open_segments.discard(alarm.segment)
        if alarm.segment in open_segments:
            continue
        if budget is None and not alarm.is_new:
            continue
        if budget is not None and not budget.lets(str(alarm.segment), alarm.e_value, at):
            continue
        open_segments.add(alarm.segment)
        if alarm.segment >= changed or alarm.items_since_change <= 0:
            false += 1
        elif alarm.segment not in found:
            found.add(alarm.segment)
            delays.append(alarm.items_since_change)
    return _Day(false, len(found), delays)


def evaluate(segments: int = 1_000, days: int = 5, seed: int = 0) -> dict[str, Any]:
    """Return false alarms of days without a change, and power and false share of days with some.

    Args:
        segments: How many streams are watched.
        days: How many days of each kind are simulated.
        seed: Decides everything.
    """
    return {
        "task": "falsealarms",
        "segments": segments,
        "hours": HOURS,
        "days": days,
        "changed_segments": int(CHANGED * segments),
        "budget": {"share": SHARE, "streams": segments},
        **{name: _compared(one, segments, days, seed) for name, one in SETTINGS.items()},
    }


def _compared(setting: Setting, segments: int, days: int, seed: int) -> dict[str, Any]:
    """Return what comes of one setting without a budget and with it, on the same days."""
    changed = int(CHANGED * segments)
    calm = [day(setting, segments, seed + n, 0) for n in range(days)]
    eventful = [day(setting, segments, seed + 1000 + n, changed)[0] for n in range(days)]
    result: dict[str, Any] = {
        "arl": setting.arl,
        "items_per_day": round(float(np.mean([total for _, total in calm]))),
    }
    for name, limited in (("without_budget", False), ("with_budget", True)):
        quiet = [
            _judged(alarms, 0, Budget(segments, SHARE) if limited else None) for alarms, _ in calm
        ]
        judged = [
            _judged(alarms, changed, Budget(segments, SHARE) if limited else None)
            for alarms in eventful
        ]
        found, wrong = sum(one.found for one in judged), sum(one.false for one in judged)
        delays = [delay for one in judged for delay in one.delays]
        result[name] = {
            "false_alarms_per_calm_day": [one.false for one in quiet],
            "calm_days_with_a_false_alarm": _share(sum(one.false > 0 for one in quiet), days),
            "found": _share(found, changed * days),
            "false_share_of_alarms": _share(wrong, wrong + found),
            "delay_items": {
                "median": float(np.median(delays)) if delays else None,
                "p90": float(np.quantile(delays, 0.9)) if delays else None,
            },
        }
    return result


def _share(hits: int, n: int) -> dict[str, Any]:
    return {"rate": round(hits / n, 4) if n else None, "n": n, "ci95": wilson(hits, n)}
