"""Judges what the monitor of embeddings tells: alarms that repeat, and the topics they name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import numpy as np

from infra.eval.drift.kinds import KINDS, LEAD, LOCAL, events
from infra.eval.drift.pools import Pools
from monitors.drift.embedding import EmbeddingDrift, EmbeddingReference
from monitors.drift.repeated import Repeated, RepeatedAlarms
from monitors.embedding_drift import QUIET

FOLLOWED = 10_000
"""Events of each stream without drift."""
MISSED = 3000
EASY = (1e4, 1e5, 1e6)
"""Run lengths short enough to be seen to be kept: the one in force would take weeks of events."""
_NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
_DRAWS = 1000


@dataclass
class Told:
    """What was told on the streams of some references, one of each kind a reference.

    Attributes:
        events: Events without drift.
        false: Detections among them, by the run length that was promised.
        delays: Events until drift was told, by its kind; None where it was not.
        named: Whether the topic that grew was named, for each local drift that was told.
    """

    events: int = 0
    false: dict[float, int] = field(default_factory=lambda: dict.fromkeys((*EASY, QUIET), 0))
    delays: dict[str, list[int | None]] = field(default_factory=lambda: {k: [] for k in KINDS})
    named: list[bool] = field(default_factory=list)

    def judge(self, reference: EmbeddingReference, pools: Pools, seed: int) -> None:
        """Show streams to the detector of one reference.

        Args:
            reference: With the intents of its texts as topics.
            pools: What streams are drawn from.
            seed: Decides what is drawn.
        """
        rng = np.random.default_rng(seed)
        arl = reference.promise.arl
        tests = {quiet: RepeatedAlarms(Repeated(), arl, quiet) for quiet in self.false}
        detector = EmbeddingDrift(reference)
        for row in _stream(pools, None, rng, FOLLOWED):
            alarm = detector.update(pools.texts[row])
            for quiet, test in tests.items():
                told = test.saw(alarm, _NOON, "")
                self.false[quiet] += told == "detection"
                if told == "recovery":
                    tests[quiet] = RepeatedAlarms(Repeated(), arl, quiet)
        self.events += FOLLOWED
        for kind, delays in self.delays.items():
            rows = list(_stream(pools, kind, rng, LEAD + MISSED))
            test, detector = RepeatedAlarms(Repeated(), arl, QUIET), EmbeddingDrift(reference)
            delays.append(None)
            for number, row in enumerate(rows):
                if not test.saw(detector.update(pools.texts[row]), _NOON, ""):
                    continue
                delays[-1] = max(0, number - LEAD + 1)
                if kind == LOCAL:
                    most = np.bincount(pools.labels[rows[LEAD:]]).argmax()
                    self.named.append(pools.names[most] in test.named())
                break

    def report(self) -> dict[str, Any]:
        """Return all of it with sample sizes and intervals."""
        return {
            "quiet_target": QUIET,
            "events_without_drift": self.events,
            "false_detections": {f"one in {quiet:,.0f}": n for quiet, n in self.false.items()},
            "delays": {kind: _delay(found) for kind, found in self.delays.items()},
            "misses": {kind: found.count(None) for kind, found in self.delays.items()},
            "local_topic_named": round(float(np.mean(self.named)), 3) if self.named else None,
            "local_told": len(self.named),
        }


def _stream(pools: Pools, kind: str | None, rng: np.random.Generator, many: int) -> Iterator[int]:
    return (int(rows[0]) for rows in islice(events(pools, kind, 1, rng), many))


def _delay(found: list[int | None]) -> dict[str, Any]:
    delays = np.array([MISSED if one is None else one for one in found], np.float64)
    drawn = np.random.default_rng(0).integers(0, len(delays), (_DRAWS, len(delays)))
    low, high = np.quantile(delays[drawn].mean(axis=1), [0.025, 0.975])
    return {
        "mean": round(float(delays.mean()), 1),
        "ci95": (round(float(low), 1), round(float(high), 1)),
        "p90": int(np.quantile(delays, 0.9, method="inverted_cdf")),
        "streams": len(delays),
    }
