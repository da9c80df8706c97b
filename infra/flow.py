"""What passes through the pipeline, summed up for a person who looks on."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from schemas.codec import peek
from schemas.topics import ALERTS, DEADLETTER, OBSERVATIONS, REQUESTS, RESPONSES, VERDICTS
from schemas.watching import AlertChanged, PoolObserved
from streams.log import Record

WINDOW_S = 10
"""Rates are means over so many seconds."""
HISTORY_S = 60
_LATENCIES = 500
_ALERTS = 50


class Rate:
    """How often something happens, by the second, over the last minute."""

    def __init__(self) -> None:
        self._seconds: dict[int, float] = {}

    def add(self, at_s: float, amount: float = 1.0) -> None:
        """Take in that ``amount`` happened at ``at_s``."""
        second = int(at_s)
        self._seconds[second] = self._seconds.get(second, 0.0) + amount
        if len(self._seconds) > 2 * HISTORY_S:
            oldest = second - HISTORY_S
            self._seconds = {s: n for s, n in self._seconds.items() if s >= oldest}

    def per_s(self, now_s: float) -> float:
        """Return the mean of the last whole seconds."""
        return sum(self.history(now_s)[-WINDOW_S:]) / WINDOW_S

    def history(self, now_s: float) -> list[float]:
        """Return what happened in each of the last whole seconds, oldest first."""
        last = int(now_s)
        return [self._seconds.get(second, 0.0) for second in range(last - HISTORY_S, last)]


class Answered:
    """What was answered: how often, how fast, with how many tokens."""

    def __init__(self) -> None:
        self.rate = Rate()
        self.tokens = Rate()
        self.latencies_s: deque[float] = deque(maxlen=_LATENCIES)
        self.ttfts_s: deque[float] = deque(maxlen=_LATENCIES)

    def add(self, at_s: float, latency_s: float, ttft_s: float | None, tokens: int) -> None:
        """Take in one answer."""
        self.rate.add(at_s)
        self.tokens.add(at_s, tokens)
        self.latencies_s.append(latency_s)
        if ttft_s is not None:
            self.ttfts_s.append(ttft_s)


class GuardCount:
    """What one guard said."""

    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()
        self.latencies_ms: deque[float] = deque(maxlen=_LATENCIES)


class Flow:
    """Everything that a view shows of the records it is given; its memory is bounded.

    Records may be incomplete or of another version: what cannot be read is passed over.
    """

    def __init__(self) -> None:
        self.requests = Rate()
        self.answers = Answered()
        self.pools: dict[str, Answered] = {}
        self.standing: dict[str, PoolObserved] = {}
        self.statuses: Counter[str] = Counter()
        self.set_aside: Counter[str] = Counter()
        self.guards: dict[str, GuardCount] = {}
        self.alerts: dict[str, AlertChanged] = {}

    def add(self, record: Record) -> None:
        """Take in one record of any topic."""
        topic, at_s = record.partition.topic, record.timestamp_ms / 1000
        if topic == REQUESTS.name:
            self.requests.add(at_s)
            return
        event = peek(record.value)
        if topic == RESPONSES.name:
            self._answered(event, at_s)
        elif topic == VERDICTS.name:
            self._scanned(event)
        elif topic == DEADLETTER.name:
            self.set_aside[str(event.get("reason"))] += 1
        elif topic in (ALERTS.name, OBSERVATIONS.name):
            self._said(topic, event)

    def _answered(self, event: dict[str, Any], at_s: float) -> None:
        self.statuses[str(event.get("status"))] += 1
        asked_s = _timestamp_s(event.get("requested_at"))
        if asked_s is None:
            return
        ttft_s = _mapping(event, "timings").get("ttft_s")
        tokens = int(_mapping(event, "usage").get("completion_tokens", 0))
        every = [self.answers]
        if pool := event.get("pool"):
            every.append(self.pools.setdefault(str(pool), Answered()))
        for answered in every:
            answered.add(at_s, at_s - asked_s, ttft_s, tokens)

    def _scanned(self, event: dict[str, Any]) -> None:
        verdicts = event.get("verdicts")
        for verdict in verdicts if isinstance(verdicts, list) else ():
            guard = self.guards.setdefault(str(verdict.get("guard")), GuardCount())
            guard.outcomes[str(verdict.get("outcome"))] += 1
            guard.latencies_ms.append(float(verdict.get("latency_ms", 0.0)))

    def _said(self, topic: str, event: dict[str, Any]) -> None:
        try:
            if topic == ALERTS.name:
                alert = AlertChanged.model_validate(event)
                self.alerts.pop(alert.alert_id, None)
                self.alerts[alert.alert_id] = alert
                if len(self.alerts) > _ALERTS:
                    del self.alerts[next(iter(self.alerts))]
            elif event.get("pool"):
                pool = PoolObserved.model_validate(event["pool"])
                self.standing[pool.pool] = pool
        except ValidationError:
            return


def quantile(values: Iterable[float], share: float) -> float | None:
    """Return the value below which ``share`` of ``values`` lie, itself one of them.

    >>> quantile([3.0, 1.0, 2.0, 4.0], 0.5)
    2.0
    """
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else None


def sparkline(values: Sequence[float], width: int) -> str:
    """Return ``values`` as a line of small bars, the newest at the right.

    >>> sparkline([0, 1, 2, 4, 8], 5)
    ' ▁▂▄█'
    """
    bars = " ▁▂▃▄▅▆▇█"
    shown = values[-width:]
    top = max(shown, default=0.0)
    if top <= 0:
        return " " * len(shown)
    return "".join(bars[math.ceil(value / top * (len(bars) - 1))] for value in shown)


def _mapping(event: dict[str, Any], name: str) -> dict[str, Any]:
    found = event.get(name)
    return found if isinstance(found, dict) else {}


def _timestamp_s(written: object) -> float | None:
    try:
        return datetime.fromisoformat(str(written)).timestamp()
    except ValueError:
        return None
