"""The life of alerts: pending, firing, acknowledged, resolved, each but the first told once."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from pydantic import JsonValue

from alerts.applied import Applied
from alerts.budget import Budget
from alerts.concluding import Absences, together
from alerts.matching import concerns, covers, holds, is_silenced, subject
from alerts.standing import Standing, withdrawn
from alerts.titles import title
from schemas.alert_rules import AlertRule
from schemas.base import Origin, event_id
from schemas.improving import AlertAcknowledged
from schemas.watching import AlertChanged, Finding

Snapshot = dict[str, JsonValue]
STANDINGS_MAX = 1_000
"""How many alerts are remembered before old ones that ended are forgotten."""


class Alerts:
    """The alerts of one deployment, under all rules.

    A finding that holds, by the rule's condition, is a reason for an alert; the alert is pending
    until the rule lets it speak, fires, may be acknowledged by a person, and is resolved once no
    reason is left. Being pending is told to nobody. What changes is told as one event each, whose
    id follows from the finding or acknowledgement that caused it: after a restart the same is told
    again, byte for byte. What was taken in, by the place of the record it came from, is skipped.

    Args:
        deployment: Whose alerts they are.
        rules: All rules; those whose alerts silence others come first.
        speakers: The monitors that can speak of it: no other's silence is an alert.
    """

    def __init__(
        self, deployment: str, rules: Sequence[AlertRule], speakers: Collection[str] = ()
    ) -> None:
        self._deployment = deployment
        self._rules = {
            rule.name: rule
            for rule in sorted(rules, key=lambda rule: (bool(rule.unless), rule.name))
        }
        self._standings: dict[str, Standing] = {}
        self._budgets = {
            rule.name: Budget(rule.false_alarms.streams, rule.false_alarms.share)
            for rule in rules
            if rule.false_alarms is not None
        }
        self._absences = Absences(deployment, rules, speakers)
        self._applied = Applied()
        self._ruleless: list[str] = []
        self._now: datetime | None = None

    def apply(self, finding: Finding) -> list[AlertChanged]:
        """Take in ``finding`` unless it was before, by its origin; return what it changes."""
        if not self._applied.is_new(finding.origin, finding.event_id):
            return []
        at = self._passed(finding.occurred_at)
        known = len(self._standings)
        changed = self._withdrawn(at)
        for rule in self._rules.values():
            if concerns(rule, finding):
                changed += self._judge(rule, finding, at)
        for rule, word in self._absences.heard(finding):
            changed += self._judge(rule, word, at)
        if len(self._standings) > known:
            self._forget(at)
        return [*changed, *self._concluded(changed, at)]

    def pass_time(self, at: datetime, record: Origin | None = None) -> list[AlertChanged]:
        """Take in that it is ``at`` now, as ``record`` says, and return what that changes."""
        if record is not None and not self._applied.is_new(record, at):
            return []
        at = self._passed(at)
        changed = self._withdrawn(at)
        for rule, word in self._absences.quiet(at):
            changed += self._judge(rule, word, at)
        for identity, standing in self._standings.items():
            pending = self._rules.get(_rule_of(identity))
            if pending is not None and standing.reasons and not standing.is_open:
                changed += self._settle(identity, pending, standing, None, at)
        self._forget(at)
        return [*changed, *self._concluded(changed, at)]

    def acknowledge(
        self, word: AlertAcknowledged, record: Origin | None = None
    ) -> list[AlertChanged]:
        """Take in that a person answers for an alert, in ``record``; only a firing one changes."""
        if record is not None and not self._applied.is_new(record, word.event_id):
            return []
        standing = self._standings.get(word.alert_id, Standing())
        alert = standing.told
        if alert is None or alert.state != "firing":
            return []
        note = f": {word.note}" if word.note else ""
        standing.told = alert.model_copy(
            update={
                "event_id": event_id("alert", word.event_id, alert.rule, "acknowledged"),
                "occurred_at": word.occurred_at,
                "state": "acknowledged",
                "cause": f"{alert.cause} (acknowledged by {word.author}{note})",
            }
        )
        return [standing.told]

    def _passed(self, at: datetime) -> datetime:
        """Return the time it is: that of the latest record, for time does not go back."""
        self._now = at if self._now is None else max(self._now, at)
        return self._now

    def _judge(self, rule: AlertRule, finding: Finding, at: datetime) -> list[AlertChanged]:
        identity = alert_id(rule.name, subject(rule, finding))
        said = holds(rule, finding)
        known = self._standings.get(identity)
        if said is None and finding.e_value is not None and known is not None:
            return self._surer(identity, rule, known, finding, at)
        if said is None or (not said and known is None):
            return []
        standing = self._standings.setdefault(identity, Standing())
        if said and finding.key not in standing.reasons:
            if not standing.reasons:
                standing.cause, standing.pending_at = finding, finding.occurred_at
            standing.reasons.append(finding.key)
        elif not said and finding.key in standing.reasons:
            standing.reasons.remove(finding.key)
        if standing.is_blank:
            del self._standings[identity]
            return []
        return self._settle(identity, rule, standing, finding, at)

    def _surer(
        self, identity: str, rule: AlertRule, standing: Standing, finding: Finding, at: datetime
    ) -> list[AlertChanged]:
        """Give a pending alert the better evidence that ``finding`` has, and see if that does."""
        if standing.is_open or finding.key not in standing.reasons or standing.cause is None:
            return []
        standing.cause = standing.cause.model_copy(update={"e_value": finding.e_value})
        return self._settle(identity, rule, standing, None, at)

    def _settle(
        self,
        identity: str,
        rule: AlertRule,
        standing: Standing,
        finding: Finding | None,
        at: datetime,
    ) -> list[AlertChanged]:
        """Tell what follows from an alert's reasons; ``finding`` is the one that just came."""
        cause, before = standing.cause, standing.told
        if standing.reasons and not standing.is_open and cause is not None:
            if not self._may_fire(identity, rule, standing, cause, at):
                return []
            standing.told = _changed(
                identity,
                rule,
                cause,
                "firing",
                cause.occurred_at if cause is finding else at,
                firing=1 if before is None else before.firing + 1,
                since_at=cause.since_at or cause.occurred_at,
                fired_at=cause.occurred_at if cause is finding else at,
                exemplars=cause.exemplars,
                causes=cause.causes,
                changed=cause.changed,
                beside=cause.beside,
                findings=(str(cause.event_id),),
            )
            return [standing.told]
        if not standing.reasons and standing.is_open and before is not None and finding is not None:
            standing.told = _changed(
                identity,
                rule,
                finding,
                "resolved",
                finding.occurred_at,
                firing=before.firing,
                since_at=before.since_at,
                fired_at=before.fired_at,
                exemplars=before.exemplars,
                causes=before.causes,
                changed=before.changed,
                beside=before.beside,
                findings=(*before.findings, str(finding.event_id)),
            )
            return [standing.told]
        return []

    def _may_fire(
        self, identity: str, rule: AlertRule, standing: Standing, cause: Finding, at: datetime
    ) -> bool:
        before, pending_at = standing.told, standing.pending_at or at
        if at < pending_at + timedelta(seconds=rule.for_s) or is_silenced(rule, cause, at):
            return False
        if before is not None and at < before.occurred_at + timedelta(seconds=rule.cooldown_s):
            return False
        if any(self._fires(other) for other in rule.unless):
            return False
        budget = self._budgets.get(rule.name)
        if budget is None or cause.e_value is None:
            return True
        return budget.lets(identity, cause.e_value, at)

    def _fires(self, rule: str) -> bool:
        return any(
            standing.is_open
            for identity, standing in self._standings.items()
            if _rule_of(identity) == rule
        )

    def _concluded(self, changes: Sequence[AlertChanged], at: datetime) -> Iterator[AlertChanged]:
        """Yield what changes of rules made of other rules follow from ``changes``."""
        for rule in self._rules.values():
            for change in changes:
                if change.rule in rule.all_of and covers(rule.deployments, change.deployment):
                    is_so = all(self._fires(other) for other in rule.all_of)
                    yield from self._judge(rule, together(rule, change, is_so), at)

    def _forget(self, at: datetime) -> None:
        if len(self._standings) <= STANDINGS_MAX:
            return
        self._standings = {
            identity: standing
            for identity, standing in self._standings.items()
            if not standing.is_over(at)
        }

    def _withdrawn(self, at: datetime) -> list[AlertChanged]:
        """Resolve what is open under rules that are gone."""
        last = [self._standings.pop(identity).told for identity in self._ruleless]
        self._ruleless = []
        return [withdrawn(told, at) for told in last if told is not None]

    def snapshot(self) -> Snapshot:
        """Return the whole state as JSON."""
        return {
            "now": self._now.isoformat() if self._now else None,
            "standings": {
                identity: standing.model_dump(mode="json", exclude_defaults=True)
                for identity, standing in self._standings.items()
            },
            "budgets": {name: budget.snapshot() for name, budget in self._budgets.items()},
            "absences": self._absences.snapshot(),
            "applied": self._applied.snapshot(),
        }

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Take on the state that :meth:`snapshot` returned.

        What is open under a rule that is gone is resolved with the next record; all else of such
        rules is left out.
        """
        now = snapshot["now"]
        self._now = datetime.fromisoformat(now) if now else None
        standings = {
            identity: Standing.model_validate(kept)
            for identity, kept in snapshot["standings"].items()
        }
        self._standings = {
            identity: standing
            for identity, standing in standings.items()
            if standing.is_open or _rule_of(identity) in self._rules
        }
        self._ruleless = [one for one in self._standings if _rule_of(one) not in self._rules]
        for name, kept in snapshot["budgets"].items():
            if name in self._budgets:
                self._budgets[name].restore(kept)
        self._absences.restore(snapshot["absences"])
        self._applied.restore(snapshot.get("applied", {}))


def alert_id(rule: str, about: str) -> str:
    """Return the id of the alert that ``rule`` raises about the findings with the key ``about``.

    >>> alert_id("default", "pools|bank|pool_without_worker|pool=small")
    'default/pools|bank|pool_without_worker|pool=small'
    """
    return f"{rule}/{about}"


def _rule_of(alert: str) -> str:
    return alert.partition("/")[0]


def deployment_of(alert: str) -> str:
    """Return the deployment that the alert with the id ``alert`` is about; empty if it has none.

    >>> deployment_of("default/pools|bank|pool_without_worker|pool=small")
    'bank'
    """
    parts = alert.partition("/")[2].split("|")
    return parts[1] if len(parts) > 1 else ""


def _changed(
    identity: str,
    rule: AlertRule,
    finding: Finding,
    state: Literal["firing", "resolved"],
    at: datetime,
    **more: Any,
) -> AlertChanged:
    return AlertChanged(
        event_id=event_id("alert", finding.event_id, rule.name, state),
        occurred_at=at,
        alert_id=identity,
        rule=rule.name,
        state=state,
        severity=rule.severity,
        title=title(finding),
        cause=finding.cause,
        deployment=finding.deployment,
        monitor=finding.monitor,
        metric=finding.metric,
        segment=finding.segment,
        value=finding.value,
        limit=finding.limit,
        baseline=finding.baseline,
        unit=finding.unit,
        origin=finding.origin,
        **more,
    )
