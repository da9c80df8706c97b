"""History through a rule: what it would have told, and when."""

from __future__ import annotations

from datetime import timedelta

from alerts.replay import replay
from schemas.alert_rules import AlertRule
from tests.alerts.test_lifecycle import NOON, found


def test_history_fires_when_the_rule_would_have() -> None:
    """Time passes between findings, also where there are none."""
    rules = [
        AlertRule(name="quiet", findings=("latency",), absent_s=60),
        AlertRule(name="slow", findings=("latency",), for_s=20),
    ]
    findings = [found("detection", 10), found("recovery", 90)]
    until = NOON + timedelta(seconds=200)
    told = list(replay(findings, rules, {"bank": ["latency"]}, NOON, until))
    seconds = [(c.rule, c.state, (c.occurred_at - NOON).total_seconds()) for c in told]
    assert seconds == [
        ("slow", "firing", 30),
        ("quiet", "firing", 75),
        ("slow", "resolved", 90),
        ("quiet", "resolved", 90),
        ("quiet", "firing", 155),
    ]


def test_a_deployment_that_is_not_listed_is_judged_as_well() -> None:
    """What is stored may be of a deployment that is gone."""
    rules = [AlertRule(name="any")]
    until = NOON + timedelta(seconds=60)
    told = list(replay([found("detection", 10)], rules, {}, NOON, until))
    assert [change.state for change in told] == ["firing"]
