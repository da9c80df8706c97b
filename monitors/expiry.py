"""Packs of rules that nobody has checked against their sources for too long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from monitors.monitor import Snapshot, finding
from monitors.rules import Rule, RulePack, expired, packs
from monitors.state import dump, load
from schemas.watching import WHOLE_SYSTEM, Finding, Observation

NAMED_MAX = 5


@dataclass
class _State:
    """The packs told to have expired, and the day of the last value."""

    told: list[str] = field(default_factory=list)
    valued_on: date | None = None


class PackExpiry:
    """Raise a finding when rules of a pack are past the date until which they hold.

    It speaks once for a pack, and again when all of its rules hold again. An expired rule still
    speaks; whether the law still says so is what nobody knows. On every day with an answer it
    states how many days are left until the first rule expires.

    Args:
        of: The packs; those that ship with Tidegate if not given.
    """

    name = "packs"
    version = "1"

    def __init__(self, of: Sequence[RulePack] | None = None) -> None:
        self._packs = packs() if of is None else tuple(of)
        self._state = _State()

    def observe(self, observation: Observation) -> list[Finding]:
        """Hold every pack against the day of ``observation``."""
        if observation.deployment == WHOLE_SYSTEM:
            return []
        today = observation.occurred_at.date()
        findings = self._days_left(observation, today)
        for pack in self._packs:
            rules = expired(pack, today)
            told = pack.name in self._state.told
            if rules and not told:
                self._state.told.append(pack.name)
                findings.append(self._expired(observation, pack, rules))
            elif told and not rules:
                self._state.told.remove(pack.name)
                findings.append(self._renewed(observation, pack))
        return findings

    def _days_left(self, observation: Observation, today: date) -> list[Finding]:
        dates = [rule.holds_until for pack in self._packs for rule in pack.rules]
        if observation.response is None or self._state.valued_on == today or not dates:
            return []
        self._state.valued_on = today
        left = float((min(dates) - today).days)
        return [finding(self, observation, "days_left", kind="value", value=left, unit="days")]

    def _expired(self, observation: Observation, pack: RulePack, rules: Sequence[Rule]) -> Finding:
        first = min(rule.holds_until for rule in rules)
        named = ", ".join(rule.id for rule in rules[:NAMED_MAX])
        more = f" and {len(rules) - NAMED_MAX} more" if len(rules) > NAMED_MAX else ""
        return finding(
            self,
            observation,
            "rules_expired",
            kind="detection",
            segment={"pack": pack.name},
            value=float(len(rules)),
            limit=0.0,
            unit="rules",
            samples=len(pack.rules),
            cause=(
                f"{len(rules)} of {len(pack.rules)} rules of the pack {pack.name} held until "
                f"{first} or soon after and have not been checked since: {named}{more}"
            ),
        )

    def _renewed(self, observation: Observation, pack: RulePack) -> Finding:
        return finding(
            self,
            observation,
            "rules_expired",
            kind="recovery",
            segment={"pack": pack.name},
            value=0.0,
            limit=0.0,
            unit="rules",
            samples=len(pack.rules),
            cause=f"all {len(pack.rules)} rules of the pack {pack.name} hold again",
        )

    def snapshot(self) -> Snapshot:
        """Return the whole state as JSON."""
        return dump(self._state)

    def restore(self, snapshot: Snapshot) -> None:
        """Take on the state that :meth:`snapshot` returned."""
        self._state = load(_State, snapshot)
