"""Whether guards still find what is planted for them, and how soon: monitors of monitors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from monitors.monitor import Snapshot, finding
from monitors.rates import RateShift, Shift
from monitors.sketch import LogSketch
from monitors.state import dump, load
from monitors.wording import clock, examples, percent, seconds
from schemas.plants import PLANT_EVERY_TAG, PLANT_GUARD_TAG, PLANT_TAG
from schemas.verdicts import Direction, Outcome, TextScanned
from schemas.watching import Finding, Observation

USUALLY_MISSED = 0.1
"""The share of planted texts that may be missed: they are chosen to be found."""
OFTEN_MISSED = 0.6
ARL = 1_000
"""Planted texts between false alarms of a plant, on average, at least."""
TURNS_MISSED = 4
"""So many turns without a verdict on a planted text are news."""
GRACE = timedelta(seconds=30)
STOOD_STILL = timedelta(seconds=30)
"""So long between two ticks, time was not told: nothing was planted, or nobody looked."""
VALUES_EVERY = timedelta(minutes=5)
PLANTS_MAX = 64
_UNSEEN = (Outcome.PASS, Outcome.NOT_SCANNED)


@dataclass
class _Plant:
    """What became of one plant's texts; counts and delays are those since ``values_at``."""

    guard: str
    every_s: float
    seen_at: datetime
    values_at: datetime
    missed: RateShift
    quiet: bool = False
    found: int = 0
    sent: int = 0
    delays_s: LogSketch = field(default_factory=LogSketch)


@dataclass
class _State:
    plants: dict[str, _Plant] = field(default_factory=dict)
    ticked_at: datetime | None = None


class Sensitivity:
    """Raise a finding when a guard misses what is planted for it, or gives no verdicts at all.

    A planted text is found if the guard named in its tags spoke of it. More than a tenth missed is
    out of the usual, see :class:`monitors.rates.RateShift`; silence is when there was no verdict on
    a planted text for four turns; more than half a minute without a tick counts as no time. Every
    five minutes it states the share found, the sensitivity, and the delay from the request to the
    verdict's being seen here. It does not know which plants there are: one that is removed while
    others of its deployment go on is told to be silent.

    Args:
        arl: Planted texts between false alarms of one plant, on average, at least.
    """

    name = "sensitivity"
    version = "1"

    def __init__(self, arl: float = ARL) -> None:
        self._arl = arl
        self._state = _State()

    def observe(self, observation: Observation) -> list[Finding]:
        """Take in the verdicts on a planted text, or that time passed."""
        scanned = observation.scanned
        if scanned is None:
            if observation.is_tick:
                self._skip_gap(observation.occurred_at)
            return [*self._silent(observation), *self._values(observation)]
        name = scanned.metadata.get(PLANT_TAG)
        if name is None or scanned.direction is not Direction.PROMPT:
            return []
        plant = self._plant(name, scanned, observation.occurred_at)
        return [] if plant is None else list(self._seen(observation, scanned, name, plant))

    def _plant(self, name: str, scanned: TextScanned, at: datetime) -> _Plant | None:
        known = self._state.plants.get(name)
        if known is None and len(self._state.plants) < PLANTS_MAX:
            missed = RateShift(USUALLY_MISSED, OFTEN_MISSED, 0.0, arl=self._arl, back_arl=100)
            guard, every_s = scanned.metadata.get(PLANT_GUARD_TAG, ""), _every_s(scanned)
            known = self._state.plants[name] = _Plant(guard, every_s, at, at, missed)
        return known

    def _seen(
        self, observation: Observation, scanned: TextScanned, name: str, plant: _Plant
    ) -> Iterator[Finding]:
        at = observation.occurred_at
        plant.guard, plant.every_s = scanned.metadata.get(PLANT_GUARD_TAG, ""), _every_s(scanned)
        if plant.quiet:
            plant.quiet = False
            for_s = (at - plant.seen_at).total_seconds()
            yield self._silence(observation, name, plant, "recovery", for_s)
        plant.seen_at = at
        verdicts = [v for v in scanned.verdicts if v.guard == plant.guard]
        hit = bool(verdicts) and verdicts[0].outcome not in _UNSEEN
        plant.sent += 1
        plant.found += hit
        plant.delays_s.add(max(0.0, (at - scanned.occurred_at).total_seconds()))
        shown = () if hit else (scanned.request_id,)
        shift = plant.missed.observe(not hit, 1, at, shown)
        if shift is not None:
            yield self._missing(observation, name, plant, shift)

    def _missing(self, observation: Observation, name: str, plant: _Plant, shift: Shift) -> Finding:
        share = 1 - shift.rate
        said = (
            f"guard {plant.guard} found {percent(share)} of the last {shift.samples} planted texts"
        )
        after = "" if shift.kind == "recovery" else f", since {clock(shift.since_at)}"
        return finding(
            self,
            observation,
            "sensitivity",
            kind=shift.kind,
            segment={"guard": plant.guard, "plant": name},
            value=share,
            limit=1 - USUALLY_MISSED,
            baseline=1.0,
            unit="share of planted texts",
            samples=shift.samples,
            since_at=shift.since_at,
            e_value=shift.e_value,
            cause=f"{said}{after}; {observation.deployment}{examples(shift.exemplars)}",
            exemplars=shift.exemplars,
        )

    def _skip_gap(self, at: datetime) -> None:
        """Let the time since the last tick pass for no plant, if it was too long."""
        before, self._state.ticked_at = self._state.ticked_at, at
        if before is None or at - before <= STOOD_STILL:
            return
        for plant in self._state.plants.values():
            if not plant.quiet:
                plant.seen_at += at - max(before, plant.seen_at)

    def _silent(self, observation: Observation) -> Iterator[Finding]:
        """Yield that plants have had no verdict for too long."""
        for name, plant in self._state.plants.items():
            for_s = (observation.occurred_at - plant.seen_at).total_seconds()
            if not plant.quiet and for_s > TURNS_MISSED * plant.every_s + GRACE.total_seconds():
                plant.quiet = True
                yield self._silence(observation, name, plant, "detection", for_s)

    def _silence(
        self, observation: Observation, name: str, plant: _Plant, kind: str, for_s: float
    ) -> Finding:
        said = "again after" if kind == "recovery" else "none for"
        return finding(
            self,
            observation,
            "silence_s",
            kind=kind,
            segment={"guard": plant.guard, "plant": name},
            value=for_s,
            limit=TURNS_MISSED * plant.every_s + GRACE.total_seconds(),
            unit="s",
            since_at=plant.seen_at,
            cause=(
                f"verdicts on texts planted for guard {plant.guard}: {said} {seconds(for_s)}; "
                f"{observation.deployment}"
            ),
        )

    def _values(self, observation: Observation) -> Iterator[Finding]:
        at = observation.occurred_at
        for name, plant in self._state.plants.items():
            if not plant.sent or at < plant.values_at + VALUES_EVERY:
                continue
            segment = {"guard": plant.guard, "plant": name}
            since = {"samples": plant.sent, "since_at": plant.values_at}
            share, delay_s = plant.found / plant.sent, plant.delays_s.quantile(0.5)
            yield finding(self, observation, "sensitivity", kind="value", segment=segment,
                          value=share, unit="share of planted texts", **since)  # fmt: skip
            yield finding(self, observation, "delay_s", kind="value", segment=segment,
                          value=delay_s, unit="s", **since)  # fmt: skip
            plant.sent = plant.found = 0
            plant.delays_s, plant.values_at = LogSketch(), at

    def snapshot(self) -> Snapshot:
        """Return the whole state as JSON."""
        return dump(self._state)

    def restore(self, snapshot: Snapshot) -> None:
        """Take on the state that :meth:`snapshot` returned."""
        self._state = load(_State, snapshot)


def _every_s(scanned: TextScanned) -> float:
    """Return the seconds between two turns; a minute if the tag says none."""
    try:
        return max(5.0, min(86_400.0, float(scanned.metadata.get(PLANT_EVERY_TAG, "60"))))
    except ValueError:
        return 60.0
