"""What rules would have told of findings of the past."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from alerts.lifecycle import Alerts
from schemas.alert_rules import AlertRule
from schemas.watching import AlertChanged, Finding

TICK = timedelta(seconds=5)


def replay(
    findings: Iterable[Finding],
    rules: Sequence[AlertRule],
    speakers: Mapping[str, Collection[str]],
    since: datetime,
    until: datetime,
) -> Iterator[AlertChanged]:
    """Yield what changes of alerts would have been told, in order.

    Args:
        findings: Those of the time, in order.
        rules: The rules to try.
        speakers: Whose time passes, also where nothing was found, and the monitors that can speak
            of each.
        since: When it begins; no alert is open then.
        until: When it ends.
    """
    alerts = {name: Alerts(name, rules, heard) for name, heard in speakers.items()}
    now = since
    for finding in findings:
        while now + TICK <= finding.occurred_at:
            now += TICK
            yield from _ticked(alerts, now)
        state = alerts.get(finding.deployment)
        if state is None:
            state = alerts[finding.deployment] = Alerts(finding.deployment, rules)
        yield from state.apply(finding)
    while now + TICK <= until:
        now += TICK
        yield from _ticked(alerts, now)


def _ticked(alerts: dict[str, Alerts], at: datetime) -> Iterator[AlertChanged]:
    for state in alerts.values():
        yield from state.pass_time(at)
