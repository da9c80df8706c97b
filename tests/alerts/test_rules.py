"""What rules can say: conditions, patience, groups, silences, absence, and rules of rules."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest

from alerts.lifecycle import Alerts
from alerts.needed import CLOCK
from schemas.alert_rules import AlertRule, FalseAlarms, Silence
from schemas.codec import encode
from schemas.probes import probes_of
from schemas.watching import AlertChanged, Finding
from tests.alerts.test_lifecycle import NOON, found

Told = list[tuple[str, str, int]]
Event = Finding | float
SPEAKERS = ("latency", "pools")


def at(second: float) -> datetime:
    """Return the time so many seconds after noon, of the finding made from that offset."""
    return NOON + timedelta(seconds=second)


def told(alerts: Alerts, *events: Event) -> Told:
    """Return rule, state and second of what findings and times (in seconds after noon) change."""
    changes = [change for one in events for change in after(alerts, one)]
    return [(c.rule, c.state, round((c.occurred_at - NOON).total_seconds())) for c in changes]


def after(alerts: Alerts, event: Event) -> list[AlertChanged]:
    """Return what a finding, or a time in seconds after noon, changes."""
    return alerts.apply(event) if isinstance(event, Finding) else alerts.pass_time(at(event))


def under(*rules: AlertRule) -> Alerts:
    """Return the alerts of the bank under rules."""
    return Alerts("bank", rules, SPEAKERS)


def valued(value: float, offset: int) -> Finding:
    """Return a plain value."""
    return found("value", offset).model_copy(update={"value": value})


def test_values_beyond_a_limit_are_an_alert_until_they_are_back() -> None:
    """Plain values count where a rule judges values."""
    alerts = under(AlertRule(name="slow", above=2.0))
    findings = [valued(v, n) for n, v in enumerate([1.0, 2.5, 3.0, 2.0, 9.0], 1)]
    assert told(alerts, *findings) == [
        ("slow", "firing", 2),
        ("slow", "resolved", 4),
        ("slow", "firing", 5),
    ]


def test_an_alert_waits_as_long_as_its_rule_says() -> None:
    """What is over before then is never told; being pending is not told either."""
    alerts = under(AlertRule(name="r", for_s=60))
    events: list[Event] = [found("detection", 10), 40, found("recovery", 50), 100]
    assert told(alerts, *events) == []
    assert told(alerts, found("detection", 110), 160, 170, 180) == [("r", "firing", 170)]


def test_a_rule_cools_down_after_an_alert() -> None:
    """It fires again only when that time is over, if there is still a reason."""
    alerts = under(AlertRule(name="r", cooldown_s=100))
    events: list[Event] = [
        found("detection", 10),
        found("recovery", 20),
        found("detection", 30),
        90,
        120,
        130,
    ]
    assert told(alerts, *events) == [
        ("r", "firing", 10),
        ("r", "resolved", 20),
        ("r", "firing", 120),
    ]


def test_a_silenced_alert_is_told_when_the_silence_is_over() -> None:
    """And only that of what the silence is about."""
    silence = Silence(since=at(0), until=at(60), segment={"pool": "small"})
    alerts = under(AlertRule(name="r", silences=(silence,)))
    events: list[Event] = [found("detection", 10), found("detection", 11, pool="large"), 59, 61]
    assert told(alerts, *events) == [("r", "firing", 11), ("r", "firing", 61)]


def test_one_alert_holds_another_back() -> None:
    """While the first is open the second waits; it is told if its reason outlasts the first."""
    alerts = under(
        AlertRule(name="a-detail", findings=("latency",), unless=("whole",)),
        AlertRule(name="whole", findings=("pools",)),
    )
    down, back = found("detection", 1, monitor="pools"), found("recovery", 9, monitor="pools")
    assert told(alerts, down, found("detection", 2), 5, back, 10) == [
        ("whole", "firing", 1),
        ("whole", "resolved", 9),
        ("a-detail", "firing", 10),
    ]


def test_a_group_has_one_alert_while_any_of_it_has_a_reason() -> None:
    """The pools of a deployment are one alert of its latency."""
    alerts = under(AlertRule(name="r", group_by=("monitor",)))
    events: list[Event] = [
        found("detection", 1, pool="small"),
        found("detection", 2, pool="large"),
        found("recovery", 3, pool="small"),
        found("recovery", 4, pool="large"),
    ]
    assert told(alerts, *events) == [("r", "firing", 1), ("r", "resolved", 4)]


def test_a_monitor_that_has_gone_quiet_is_an_alert() -> None:
    """Until it is heard again; one that never spoke is quiet from the first moment on."""
    rule = AlertRule(name="quiet", findings=("latency", "pools"), absent_s=60)
    alerts = under(rule)
    events: list[Event] = [0.0, 30.0, found("value", 30), 60.0, 61, 91, found("value", 95)]
    assert told(alerts, *events) == [
        ("quiet", "firing", 61),
        ("quiet", "firing", 91),
        ("quiet", "resolved", 95),
    ]


def test_only_who_can_speak_is_waited_for() -> None:
    """A monitor of probes says nothing of users, and is heard in the name of the probes."""
    rule = AlertRule(name="quiet", findings=("sensitivity",), deployments=("bank",), absent_s=60)
    times: list[Event] = [float(second) for second in range(0, 91, 15)]
    assert told(under(rule), *times) == []
    for name, fired in ((probes_of("bank"), 1), (probes_of("other"), 0)):
        assert len(told(Alerts(name, [rule], ["sensitivity"]), *times)) == fired


def test_a_downtime_is_no_silence() -> None:
    """Only the time of which the clock spoke counts; a silence told before it goes on."""
    rule = AlertRule(name="quiet", findings=("latency", "pools"), absent_s=60)
    before, restored = under(rule), under(rule)
    assert told(before, 0.0, found("value", 5), 30.0) == []
    restored.restore(orjson.loads(orjson.dumps(before.snapshot())))
    assert told(restored, 7_200.0, 7_225.0) == []
    (first, second) = told(restored, 7_231.0, 7_236.0)
    assert (first, second) == (("quiet", "firing", 7_231), ("quiet", "firing", 7_236))
    assert told(restored, 9_000.0, found("value", 9_001)) == [("quiet", "resolved", 9_001)]


def test_rules_together_are_an_alert_of_their_own() -> None:
    """It fires with the last of them and ends with the first."""
    alerts = under(
        AlertRule(name="both", all_of=("slow", "down"), severity="critical"),
        AlertRule(name="down", findings=("pools",)),
        AlertRule(name="slow", findings=("latency",)),
    )
    events: list[Event] = [
        found("detection", 1),
        found("detection", 2, monitor="pools"),
        found("recovery", 3),
    ]
    assert told(alerts, *events) == [
        ("slow", "firing", 1),
        ("down", "firing", 2),
        ("both", "firing", 2),
        ("slow", "resolved", 3),
        ("both", "resolved", 3),
    ]


def test_rules_together_count_only_where_the_rule_says() -> None:
    """Those of another deployment may all fire."""
    alerts = under(
        AlertRule(name="both", all_of=("down", "slow"), deployments=("other",)),
        AlertRule(name="down", findings=("pools",)),
        AlertRule(name="slow", findings=("latency",)),
    )
    assert told(alerts, found("detection", 1), found("detection", 2, monitor="pools")) == [
        ("slow", "firing", 1),
        ("down", "firing", 2),
    ]


def kept(alerts: Alerts) -> list[str]:
    """Return the ids of the alerts whose state is kept."""
    standings: Any = alerts.snapshot()["standings"]
    return sorted(standings)


def test_what_was_over_before_it_was_told_is_forgotten() -> None:
    """However many things are pending for a moment."""
    alerts = under(AlertRule(name="r", for_s=60))
    for number in range(9):
        one, back = found("detection", 2 * number + 1), found("recovery", 2 * number + 2)
        pool = {"segment": {"pool": f"p{number}"}}
        assert told(alerts, one.model_copy(update=pool), back.model_copy(update=pool)) == []
    assert kept(alerts) == []


def test_alerts_that_ended_are_forgotten_after_a_day_where_no_time_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A rule that needs no clock is told of findings alone."""
    monkeypatch.setattr("alerts.lifecycle.STANDINGS_MAX", 2)
    alerts = under(AlertRule(name="r"))
    for day in range(5):
        pool = {"segment": {"pool": f"p{day}"}}
        one, back = found("detection", 86_401 * day), found("recovery", 86_401 * day + 1)
        told(alerts, one.model_copy(update=pool), back.model_copy(update=pool))
    assert len(kept(alerts)) <= 2


def test_what_fires_under_a_rule_that_is_gone_is_resolved() -> None:
    """With the first record after a restart, once; what was pending under it is dropped."""
    gone, slow = AlertRule(name="gone"), AlertRule(name="slow", for_s=60)
    before = under(gone, slow, AlertRule(name="stays"))
    told(before, found("detection", 1))
    alerts = under(AlertRule(name="stays"))
    alerts.restore(orjson.loads(orjson.dumps(before.snapshot())))
    (change,) = alerts.pass_time(at(9))
    assert (change.rule, change.state, change.firing) == ("gone", "resolved", 1)
    assert change.cause == "there is no rule gone any more"
    assert kept(alerts) == ["stays/latency|bank|latency_s|pool=small"]
    assert told(alerts, found("recovery", 10), 20) == [("stays", "resolved", 10)]


def test_a_budget_waits_for_better_evidence() -> None:
    """A weak detection is pending; a surer value lets it fire, with the detection's cause."""
    alerts = under(AlertRule(name="r", false_alarms=FalseAlarms(share=0.1, streams=100)))
    weak = found("detection", 1).model_copy(update={"e_value": 50.0})
    surer = found("value", 5).model_copy(update={"e_value": 2_000.0})
    certain = found("detection", 7, pool="large")
    assert told(alerts, weak, 3.0) == []
    (change,) = alerts.apply(surer)
    assert (change.state, change.cause) == ("firing", "detection at 1")
    assert change.since_at == weak.since_at
    assert told(alerts, certain) == [("r", "firing", 7)], "what carries no evidence is a fact"


def test_only_what_a_rule_is_about_counts() -> None:
    """Monitor, metric, deployment and segment choose."""
    rule = AlertRule(name="r", metrics=("ttft_s",))
    assert told(under(rule), found("detection", 1)) == []
    assert told(under(AlertRule(name="r", deployments=("other",))), found("detection", 1)) == []
    clock = found("value", 1, monitor=CLOCK).model_copy(update={"value": 1.8e9})
    assert told(under(AlertRule(name="r", above=2.0)), clock) == [], "time is no monitor's value"
    probed = found("detection", 1).model_copy(update={"deployment": probes_of("bank")})
    alerts = Alerts(probes_of("bank"), [AlertRule(name="r", deployments=("bank",))])
    assert told(alerts, probed) == [("r", "firing", 1)], "a deployment's probes are its own"
    elsewhere = AlertRule(name="r", segment={"pool": "large"})
    assert told(under(elsewhere), found("detection", 1)) == []
    assert told(under(elsewhere), found("detection", 1, pool="large")) == [("r", "firing", 1)]


@pytest.mark.parametrize("stop", range(0, 12))
def test_a_restart_at_any_place_changes_nothing(stop: int) -> None:
    """What is pending, silenced, quiet or held back by a budget is part of the snapshot."""
    rules = (
        AlertRule(name="both", all_of=("slow", "quiet")),
        AlertRule(name="quiet", findings=("pools",), absent_s=30),
        AlertRule(name="slow", findings=("latency",), for_s=10, cooldown_s=5),
        AlertRule(name="sure", false_alarms=FalseAlarms(streams=10)),
    )
    events: list[Event] = [
        0.0,
        found("detection", 5).model_copy(update={"e_value": 10.0}),
        10.0,
        found("value", 12).model_copy(update={"e_value": 1e4}),
        16.0,
        31.0,
        found("value", 33, monitor="pools"),
        found("recovery", 40),
        found("detection", 42),
        50.0,
        90.0,
    ]

    def go(alerts: Alerts, part: list[Event]) -> list[bytes]:
        return [encode(change) for one in part for change in after(alerts, one)]

    before, restored = under(*rules), under(*rules)
    said = go(before, events[:stop])
    restored.restore(orjson.loads(orjson.dumps(before.snapshot())))
    assert [*said, *go(restored, events[stop:])] == go(under(*rules), events)
