"""Which findings a rule is about, and whether they say that there is an alert."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from alerts.needed import CLOCK
from schemas.alert_rules import QUERIED, AlertRule
from schemas.probes import probes_of
from schemas.watching import Finding

OWN = "alerts"
"""Stands where a monitor's name would, in what alerts conclude from silence or from each other."""


def covers(deployments: Collection[str], name: str) -> bool:
    """Return whether a rule for ``deployments`` (all, if empty) is about ``name``.

    A deployment's probes are its own.

    >>> covers((), "bank"), covers(("bank",), "bank"), covers(("other",), "bank")
    (True, True, False)
    >>> covers(("bank",), "bank:probes"), covers(("bank:probes",), "bank")
    (True, False)
    """
    return not deployments or any(name in (one, probes_of(one)) for one in deployments)


def concerns(rule: AlertRule, finding: Finding) -> bool:
    """Return whether ``rule`` judges ``finding``."""
    if rule.absent_s is not None or rule.all_of:
        return False
    if not covers(rule.deployments, finding.deployment):
        return False
    if rule.query is not None:
        return finding.monitor == QUERIED and finding.metric == rule.name
    return (
        finding.monitor not in (CLOCK, QUERIED)
        and (rule.findings == "all" or finding.monitor in rule.findings)
        and (not rule.metrics or finding.metric in rule.metrics)
        and rule.segment.items() <= finding.segment.items()
    )


def holds(rule: AlertRule, finding: Finding) -> bool | None:
    """Return whether ``finding`` says that there is an alert; None if it says neither."""
    if rule.judges_values:
        above = rule.above is None or finding.value > rule.above
        return above and (rule.below is None or finding.value < rule.below)
    return {"detection": True, "recovery": False}.get(finding.kind)


def subject(rule: AlertRule, finding: Finding) -> str:
    """Return what an alert of ``rule`` about ``finding`` is about: its key, or that of its group.

    >>> from datetime import UTC
    >>> from schemas.base import Origin, event_id
    >>> told = Finding(
    ...     event_id=event_id("finding", 1), occurred_at=datetime(2024, 5, 1, tzinfo=UTC),
    ...     monitor="latency", monitor_version="1", kind="detection", deployment="bank",
    ...     segment={"pool": "small"}, metric="latency_s", value=3.0,
    ...     origin=Origin(topic="t", partition=0, offset=1),
    ... )
    >>> subject(AlertRule(name="each"), told)
    'latency|bank|latency_s|pool=small'
    >>> subject(AlertRule(name="one", group_by=("pool",)), told)
    '*|bank|*|pool=small'
    """
    if rule.group_by is None:
        return finding.key
    monitor = finding.monitor if "monitor" in rule.group_by else "*"
    metric = finding.metric if "metric" in rule.group_by else "*"
    shared = [f"{n}={finding.segment[n]}" for n in sorted(rule.group_by) if n in finding.segment]
    return f"{monitor}|{finding.deployment}|{metric}|{','.join(shared)}"


def is_silenced(rule: AlertRule, finding: Finding, at: datetime) -> bool:
    """Return whether one of the rule's silences covers ``finding`` at the time ``at``."""
    return any(
        silence.since <= at < silence.until
        and covers((silence.deployment,) if silence.deployment else (), finding.deployment)
        and silence.segment.items() <= finding.segment.items()
        for silence in rule.silences
    )
