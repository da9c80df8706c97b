"""Findings that alerts make themselves: of a monitor's silence, and of alerts together."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from alerts.matching import OWN, covers
from schemas.alert_rules import AlertRule
from schemas.base import Origin, event_id
from schemas.watching import AlertChanged, Finding

STOOD_STILL = timedelta(seconds=30)
"""So long between two words of the clock, nobody looked: nothing was missed by it."""
_NOWHERE = Origin(topic="", partition=0, offset=0)


class Absences:
    """When each monitor that must not be quiet was last heard.

    More than half a minute without a word of the clock counts as no time.

    Args:
        deployment: Whose monitors they are.
        rules: All rules; those with ``absent_s`` count.
        speakers: The monitors that can speak of it; no other is waited for.
    """

    def __init__(
        self, deployment: str, rules: Sequence[AlertRule], speakers: Collection[str]
    ) -> None:
        self._deployment = deployment
        self._rules = [
            rule
            for rule in rules
            if rule.absent_s is not None and covers(rule.deployments, deployment)
        ]
        self._speakers = frozenset(speakers)
        self._heard_at: dict[str, datetime] = {}
        self._origins: dict[str, Origin] = {}
        self._quiet: set[str] = set()
        self._told_at: datetime | None = None

    def heard(self, finding: Finding) -> Iterator[tuple[AlertRule, Finding]]:
        """Take in that a monitor spoke; yield that it is not quiet any more, if it was."""
        name = finding.monitor
        if not any(name in rule.findings for rule in self._rules):
            return
        at = finding.occurred_at
        self._heard_at[name] = max(at, self._heard_at.get(name, at))
        self._origins[name] = finding.origin
        if name in self._quiet:
            self._quiet.discard(name)
            for rule in self._rules:
                if name in rule.findings:
                    yield rule, self._word(rule, name, "recovery", at, 0.0)

    def quiet(self, at: datetime) -> Iterator[tuple[AlertRule, Finding]]:
        """Yield of each rule the monitors that have said nothing for too long at ``at``."""
        self._skip_gap(at)
        for rule in self._rules:
            for name in (one for one in rule.findings if one in self._speakers):
                heard_at = self._heard_at.setdefault(name, at)
                for_s = (at - heard_at).total_seconds()
                if rule.absent_s is not None and for_s > rule.absent_s:
                    self._quiet.add(name)
                    yield rule, self._word(rule, name, "detection", at, for_s)

    def _skip_gap(self, at: datetime) -> None:
        """Let the time since the clock's last word pass for no monitor, if it was too long."""
        before, self._told_at = self._told_at, at
        if before is None or at - before <= STOOD_STILL:
            return
        for name, heard_at in self._heard_at.items():
            if name not in self._quiet:
                self._heard_at[name] = heard_at + (at - max(before, heard_at))

    def _word(
        self,
        rule: AlertRule,
        monitor: str,
        kind: Literal["detection", "recovery"],
        at: datetime,
        for_s: float,
    ) -> Finding:
        since_at = self._heard_at[monitor]
        said = "speaks again" if kind == "recovery" else f"has said nothing for {for_s:.0f} s"
        return Finding(
            event_id=event_id(
                "finding", OWN, rule.name, self._deployment, monitor, kind, since_at.isoformat()
            ),
            occurred_at=at,
            monitor=OWN,
            monitor_version="1",
            kind=kind,
            deployment=self._deployment,
            segment={"monitor": monitor},
            metric="silence_s",
            value=for_s,
            limit=rule.absent_s,
            unit="s",
            since_at=since_at,
            cause=f"monitor {monitor} {said}; deployment {self._deployment}",
            origin=self._origins.get(monitor, _NOWHERE),
        )

    def snapshot(self) -> dict[str, Any]:
        """Return the whole state as JSON."""
        return {
            "heard_at": {name: at.isoformat() for name, at in self._heard_at.items()},
            "origins": {name: one.model_dump() for name, one in self._origins.items()},
            "quiet": sorted(self._quiet),
            "told_at": self._told_at.isoformat() if self._told_at else None,
        }

    def restore(self, snapshot: dict[str, Any]) -> None:
        """Take on the state that :meth:`snapshot` returned."""
        self._heard_at = {
            name: datetime.fromisoformat(at) for name, at in snapshot["heard_at"].items()
        }
        self._origins = {
            name: Origin.model_validate(one) for name, one in snapshot["origins"].items()
        }
        self._quiet = set(snapshot["quiet"])
        told_at = snapshot.get("told_at")
        self._told_at = datetime.fromisoformat(told_at) if told_at else None


def together(rule: AlertRule, change: AlertChanged, is_so: bool) -> Finding:
    """Return that all rules of ``rule`` have an alert since ``change``, or that one has none."""
    names = ", ".join(rule.all_of)
    said = "all fire" if is_so else "do not all fire any more"
    return Finding(
        event_id=event_id("finding", OWN, rule.name, change.event_id),
        occurred_at=change.occurred_at,
        monitor=OWN,
        monitor_version="1",
        kind="detection" if is_so else "recovery",
        deployment=change.deployment,
        segment={"rules": names},
        metric="together",
        value=float(len(rule.all_of)),
        unit="rules",
        cause=f"the rules {names} {said}; the last: {change.title}: {change.cause}",
        exemplars=change.exemplars,
        causes=change.causes,
        changed=change.changed,
        beside=change.beside,
        origin=change.origin,
    )
