"""The life of alerts: firing, acknowledged, resolved, each told once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import JsonValue

from alerts.titles import title
from schemas.base import event_id
from schemas.improving import AlertAcknowledged
from schemas.registry import AlertRule
from schemas.watching import AlertChanged, Finding

Snapshot = dict[str, JsonValue]
REMEMBERED_MAX = 32
"""How many findings an alert remembers; one that comes again changes nothing."""


class Alerts:
    """The alerts of one or more finding keys, one per rule and key.

    A detection makes an alert fire, if it does not already; a recovery resolves it; a person's
    acknowledgement stands between them. Values are no reason for an alert. What changes is told as
    one event each, whose id follows from the finding or acknowledgement that caused it, so that
    after a restart the same is told again, byte for byte.
    """

    def __init__(self) -> None:
        self._alerts: dict[str, AlertChanged] = {}
        self._remembered: dict[str, list[str]] = {}

    def apply(self, finding: Finding, rules: Iterable[AlertRule]) -> list[AlertChanged]:
        """Take in ``finding`` and return what it changes under ``rules``."""
        if finding.kind == "value":
            return []
        changed = []
        for rule in rules:
            if rule.findings != "all" and finding.monitor not in rule.findings:
                continue
            identity = alert_id(rule.name, finding.key)
            if self._is_repeated(identity, str(finding.event_id)):
                continue
            change = self._change(identity, rule, finding)
            if change is not None:
                self._alerts[identity] = change
                changed.append(change)
        return changed

    def acknowledge(self, word: AlertAcknowledged) -> list[AlertChanged]:
        """Take in that a person answers for an alert; only a firing one changes by that."""
        alert = self._alerts.get(word.alert_id)
        if alert is None or alert.state != "firing":
            return []
        note = f": {word.note}" if word.note else ""
        change = alert.model_copy(
            update={
                "event_id": event_id("alert", word.event_id, alert.rule, "acknowledged"),
                "occurred_at": word.occurred_at,
                "state": "acknowledged",
                "cause": f"{alert.cause} (acknowledged by {word.author}{note})",
            }
        )
        self._alerts[word.alert_id] = change
        return [change]

    def _is_repeated(self, identity: str, finding_id: str) -> bool:
        remembered = self._remembered.setdefault(identity, [])
        if finding_id in remembered:
            return True
        self._remembered[identity] = [*remembered, finding_id][-REMEMBERED_MAX:]
        return False

    def _change(self, identity: str, rule: AlertRule, finding: Finding) -> AlertChanged | None:
        before = self._alerts.get(identity)
        active = before is not None and before.state != "resolved"
        if finding.kind == "detection" and not active:
            return _changed(
                identity,
                rule,
                finding,
                "firing",
                firing=1 if before is None else before.firing + 1,
                since_at=finding.since_at or finding.occurred_at,
                fired_at=finding.occurred_at,
                exemplars=finding.exemplars,
                causes=finding.causes,
                changed=finding.changed,
                beside=finding.beside,
                findings=(str(finding.event_id),),
            )
        if finding.kind == "recovery" and before is not None and active:
            return _changed(
                identity,
                rule,
                finding,
                "resolved",
                firing=before.firing,
                since_at=before.since_at,
                fired_at=before.fired_at,
                exemplars=before.exemplars,
                causes=before.causes,
                changed=before.changed,
                beside=before.beside,
                findings=(*before.findings, str(finding.event_id)),
            )
        return None

    def snapshot(self) -> Snapshot:
        """Return the whole state as JSON."""
        return {
            "alerts": {key: alert.model_dump(mode="json") for key, alert in self._alerts.items()},
            "remembered": {key: list(ids) for key, ids in self._remembered.items()},
        }

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Take on the state that :meth:`snapshot` returned."""
        self._alerts = {
            key: AlertChanged.model_validate(alert) for key, alert in snapshot["alerts"].items()
        }
        self._remembered = {key: list(ids) for key, ids in snapshot["remembered"].items()}


def alert_id(rule: str, finding_key: str) -> str:
    """Return the id of the alert that ``rule`` raises about findings with ``finding_key``.

    >>> alert_id("default", "pools|bank|pool_without_worker|pool=small")
    'default/pools|bank|pool_without_worker|pool=small'
    """
    return f"{rule}/{finding_key}"


def finding_key(alert: str) -> str:
    """Return the key of the findings behind the alert with the id ``alert``.

    >>> finding_key("default/pools|bank|pool_without_worker|pool=small")
    'pools|bank|pool_without_worker|pool=small'
    """
    return alert.partition("/")[2]


def _changed(
    identity: str,
    rule: AlertRule,
    finding: Finding,
    state: Literal["firing", "resolved"],
    **more: Any,
) -> AlertChanged:
    return AlertChanged(
        event_id=event_id("alert", finding.event_id, rule.name, state),
        occurred_at=finding.occurred_at,
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
