"""What share of the items carries each of several labels, against the first items."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from monitors.rates import RateShift, Shift

LABELS_MAX = 64
OTHER_LABELS = "other"
"""Stands for all labels beyond the first :data:`LABELS_MAX`."""
RARE = "*"
"""Stands for all labels that hardly occurred at first; no label can be called so."""


@dataclass
class Shares:
    """Follow the share of every label that is ever seen; the first items say what is usual.

    A label that the first items did not have was at 0 there. Labels may exclude each other, such
    as topics, or not, such as what a guard found.

    Attributes:
        warmup: How many first items there are.
        odds: The factor on the odds of the usual share that the following is tuned to.
        arl: The average number of items between false alarms of one label, at least.
        dependence: See :class:`monitors.rates.RateShift`.
        rare_share: Labels with less than this share of the first items, or none, are also followed
            together, as :data:`RARE`: many small newcomers are one large change.
    """

    warmup: int
    odds: float = 6.0
    arl: float = 1_000_000
    dependence: float = 1.0
    rare_share: float = 0.0
    seen: int = 0
    first: dict[str, int] = field(default_factory=dict)
    rates: dict[str, RateShift] = field(default_factory=dict)

    def observe(
        self, labels: Collection[str], at: datetime, request_id: str
    ) -> list[tuple[str, Shift]]:
        """Take in one item with its labels; return which shares changed, labels in order."""
        known = self.rates if self.seen >= self.warmup else self.first
        carried = {
            label if label in known or len(known) < LABELS_MAX else OTHER_LABELS for label in labels
        }
        if self.seen < self.warmup:
            self._learn(carried)
            return []
        for label in carried.difference(self.rates):
            self.rates[label] = self._rate(0)
        if any(self.rates[label].baseline < self.rare_share for label in carried):
            carried.add(RARE)
        shifts = []
        for label in sorted(self.rates):
            hit = label in carried
            shift = self.rates[label].observe(hit, 1, at, (request_id,) if hit else ())
            if shift is not None:
                shifts.append((label, shift))
        return shifts

    @property
    def usual(self) -> bool:
        """Whether no share is out of the usual."""
        return not any(rate.firing for rate in self.rates.values())

    def _learn(self, labels: Collection[str]) -> None:
        self.seen += 1
        for label in labels:
            self.first[label] = self.first.get(label, 0) + 1
        if self.seen == self.warmup:
            rare = [hits for hits in self.first.values() if hits < self.rare_share * self.warmup]
            counts = self.first | ({RARE: sum(rare)} if self.rare_share else {})
            self.rates = {label: self._rate(hits) for label, hits in counts.items()}
            self.first = {}

    def _rate(self, hits: int) -> RateShift:
        return RateShift.after(
            hits, self.warmup, odds=self.odds, arl=self.arl, dependence=self.dependence
        )
