"""Alerts from findings: told once, acknowledged, resolved."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.lifecycle import Alerts, alert_id, deployment_of
from schemas.alert_rules import AlertRule
from schemas.base import Origin, event_id
from schemas.codec import encode
from schemas.improving import AlertAcknowledged
from schemas.watching import AlertChanged, Finding

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
EVERYTHING = AlertRule(name="default")
KINDS: tuple[Literal["value", "detection", "recovery"], ...] = ("value", "detection", "recovery")
Kind = Literal["value", "detection", "recovery"]


def found(kind: Kind, offset: int, monitor: str = "latency", pool: str = "small") -> Finding:
    """Return a finding about a pool, made from the record at ``offset``."""
    return Finding(
        event_id=event_id("finding", monitor, pool, kind, offset),
        occurred_at=NOON + timedelta(seconds=offset),
        monitor=monitor,
        monitor_version="1",
        kind=kind,
        deployment="bank",
        segment={"pool": pool},
        metric="latency_s",
        value=float(offset),
        limit=2.5,
        since_at=NOON + timedelta(seconds=offset - 10),
        cause=f"{kind} at {offset}",
        exemplars=(f"r{offset}",),
        origin=Origin(topic="llm.responses.v1", partition=0, offset=offset),
    )


def acknowledged(change: AlertChanged, author: str = "jo") -> AlertAcknowledged:
    """Return a person's word on an alert."""
    return AlertAcknowledged(
        event_id=event_id("word", change.alert_id, author),
        occurred_at=NOON + timedelta(hours=1),
        alert_id=change.alert_id,
        author=author,
        note="on it",
    )


def everything() -> Alerts:
    """Return new alerts under the rule that lets everything through."""
    return Alerts("bank", [EVERYTHING])


def states(alerts: Alerts, findings: list[Finding]) -> list[tuple[str, int]]:
    """Return the states that ``findings`` lead to, and the count of firings."""
    changes = [change for one in findings for change in alerts.apply(one)]
    return [(change.state, change.firing) for change in changes]


def test_an_alert_fires_once_and_is_resolved_once() -> None:
    """Values and repeated detections change nothing; a second firing is counted."""
    kinds: list[Kind] = ["value", "recovery", "detection", "detection", "value", "recovery"]
    kinds += ["recovery", "detection"]
    findings = [found(kind, offset) for offset, kind in enumerate(kinds, 1)]
    assert states(everything(), findings) == [("firing", 1), ("resolved", 1), ("firing", 2)]


def test_an_alert_tells_what_its_finding_told() -> None:
    """Cause, figures, exemplars and the moment it began are the finding's."""
    (change,) = everything().apply(found("detection", 30))
    assert change.title == "Latency: small (bank)"
    assert change.cause == "detection at 30"
    assert (change.value, change.limit, change.exemplars) == (30.0, 2.5, ("r30",))
    assert change.since_at == NOON + timedelta(seconds=20)
    assert change.fired_at == NOON + timedelta(seconds=30)
    assert change.alert_id == "default/latency|bank|latency_s|pool=small"


def test_a_resolved_alert_still_says_when_it_began_and_who_showed_it() -> None:
    """The last state holds the whole story: the topic keeps no other."""
    alerts = everything()
    (fired,) = alerts.apply(found("detection", 30))
    (resolved,) = alerts.apply(found("recovery", 90))
    assert (resolved.since_at, resolved.fired_at) == (fired.since_at, fired.fired_at)
    assert resolved.exemplars == fired.exemplars
    assert len(resolved.findings) == 2
    assert resolved.cause == "recovery at 90"


def test_an_acknowledged_alert_is_silent_until_it_is_over() -> None:
    """A person's word stands; more detections change nothing, the end does."""
    alerts = everything()
    (fired,) = alerts.apply(found("detection", 1))
    (noted,) = alerts.acknowledge(acknowledged(fired))
    assert noted.state == "acknowledged"
    assert "acknowledged by jo: on it" in noted.cause
    assert alerts.acknowledge(acknowledged(fired, "al")) == []
    assert states(alerts, [found("detection", 2), found("recovery", 3)]) == [("resolved", 1)]
    assert alerts.acknowledge(acknowledged(fired)) == []


def test_an_unknown_alert_cannot_be_acknowledged() -> None:
    """A word about an alert that never was changes nothing."""
    alerts = everything()
    (fired,) = everything().apply(found("detection", 1))
    assert alerts.acknowledge(acknowledged(fired)) == []


def test_rules_choose_their_findings() -> None:
    """Each rule has an alert of its own, of its own severity, for the monitors it names."""
    rules = [
        EVERYTHING,
        AlertRule(name="pager", findings=("pools",), severity="critical"),
    ]
    alerts = Alerts("bank", rules)
    assert [c.rule for c in alerts.apply(found("detection", 1))] == ["default"]
    changes = alerts.apply(found("detection", 1, monitor="pools"))
    assert [(c.rule, c.severity) for c in changes] == [
        ("default", "warning"),
        ("pager", "critical"),
    ]


def test_keys_are_told_apart() -> None:
    """One pool's recovery does not resolve another's alert."""
    findings = [
        found("detection", 1, pool="small"),
        found("detection", 2, pool="large"),
        found("recovery", 3, pool="small"),
    ]
    assert states(everything(), findings) == [("firing", 1), ("firing", 1), ("resolved", 1)]


def test_findings_that_come_again_change_nothing() -> None:
    """A stretch of findings read twice after a kill does not make a resolved alert fire anew."""
    findings = [found("detection", 1), found("recovery", 2), found("detection", 3)]
    alerts = everything()
    assert len(states(alerts, findings)) == 3
    assert states(alerts, findings) == []


def again(alerts: Alerts, rule: AlertRule) -> Alerts:
    """Return what is restored from the snapshot of ``alerts``."""
    restored = Alerts("bank", [rule], ["latency"])
    restored.restore(orjson.loads(orjson.dumps(alerts.snapshot())))
    return restored


def test_many_values_that_come_again_change_nothing() -> None:
    """However long the stretch is that is read twice, and though values have no kind to go by."""
    rule = AlertRule(name="high", above=1.0)
    values = [
        found("value", offset).model_copy(update={"value": 2.0 * (offset % 2)})
        for offset in range(1, 22)
    ]
    alerts = Alerts("bank", [rule])
    assert len(states(alerts, values)) == 21
    assert states(again(alerts, rule), values) == []


def test_a_finding_that_comes_again_does_not_end_a_silence() -> None:
    """A monitor speaks again when it says something new."""
    rule = AlertRule(name="quiet", findings=("latency",), absent_s=60)
    alerts = Alerts("bank", [rule], ["latency"])
    last = found("value", 10)
    assert states(alerts, [last]) == []
    (fired,) = [c for s in range(15, 76, 5) for c in alerts.pass_time(NOON + timedelta(seconds=s))]
    assert fired.state == "firing"
    restored = again(alerts, rule)
    assert states(restored, [last]) == []
    assert states(restored, [found("value", 90)]) == [("resolved", 1)]


def test_time_and_words_that_come_again_change_nothing() -> None:
    """Neither fires what began after it, nor answers for a firing after it."""
    rule = AlertRule(name="patient", for_s=5)
    alerts = Alerts("bank", [rule])

    def tick(second: int) -> list[AlertChanged]:
        record = Origin(topic="llm.findings.v1", partition=0, offset=second)
        return alerts.pass_time(NOON + timedelta(seconds=second), record)

    assert states(alerts, [found("detection", 1)]) == []
    (fired,) = tick(10)
    word = Origin(topic="words", partition=0, offset=0)
    assert len(alerts.acknowledge(acknowledged(fired), word)) == 1
    assert states(alerts, [found("recovery", 11), found("detection", 12), found("value", 20)]) == [
        ("resolved", 1)
    ]
    assert tick(10) == []
    (second,) = tick(21)
    assert second.state == "firing"
    assert alerts.acknowledge(acknowledged(fired), word) == []


@given(st.lists(st.sampled_from(KINDS), max_size=12), st.integers(0, 12))
def test_a_restart_changes_nothing(kinds: list[Kind], stop: int) -> None:
    """Restored from its snapshot at any place, the same is told, byte for byte."""
    findings = [found(kind, offset) for offset, kind in enumerate(kinds, 1)]
    whole, before, after = everything(), everything(), everything()
    expected = [encode(c) for one in findings for c in whole.apply(one)]
    told = [encode(c) for one in findings[:stop] for c in before.apply(one)]
    after.restore(orjson.loads(orjson.dumps(before.snapshot())))
    told += [encode(c) for one in findings[stop:] for c in after.apply(one)]
    assert told == expected


@given(st.lists(st.sampled_from(KINDS), max_size=200))
def test_firing_and_resolved_alternate(kinds: list[Kind]) -> None:
    """Whatever findings come, the states of one alert take turns."""
    findings = [found(kind, offset) for offset, kind in enumerate(kinds, 1)]
    turns = [state for state, _ in states(everything(), findings)]
    assert turns == (["firing", "resolved"] * len(turns))[: len(turns)]


@pytest.mark.parametrize(
    ("key", "deployment"), [("latency|bank|latency_s|pool=small", "bank"), ("pools|*|x|", "*")]
)
def test_an_alerts_id_leads_back_to_its_deployment(key: str, deployment: str) -> None:
    """A word about an alert can be brought to where its state is kept."""
    assert deployment_of(alert_id("default", key)) == deployment
    assert deployment_of("nonsense") == ""
