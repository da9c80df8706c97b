"""Most findings are plain values, and decoded only where a rule needs them."""

from __future__ import annotations

import pytest

from alerts.needed import CLOCK, Needed
from schemas.alert_rules import QUERIED, AlertRule, FalseAlarms, Query

PLAIN = {"kind": "value", "monitor": "latency"}
SURE = PLAIN | {"e_value": 30.0}
QUERY = Query(sql="SELECT 1 AS value WHERE now() > {at:DateTime64(3)}")


@pytest.mark.parametrize(
    ("rule", "plain", "sure", "time"),
    [
        (AlertRule(name="r"), False, False, False),
        (AlertRule(name="r", above=1), True, True, False),
        (AlertRule(name="r", above=1, findings=("ttft",)), False, False, False),
        (AlertRule(name="r", above=1, findings=("latency",), for_s=5), True, True, True),
        (AlertRule(name="r", absent_s=60, findings=("latency",)), True, True, True),
        (AlertRule(name="r", false_alarms=FalseAlarms()), False, True, False),
        (AlertRule(name="r", query=QUERY, above=1), False, False, True),
    ],
)
def test_rules_say_what_they_need(rule: AlertRule, plain: bool, sure: bool, time: bool) -> None:
    """Plain values, evidence, and that time passes."""
    needed = Needed([rule])
    assert (needed.is_met_by(PLAIN), needed.is_met_by(SURE), needed.time) == (plain, sure, time)


def test_changes_time_and_answers_are_always_needed() -> None:
    """Whatever the rules."""
    needed = Needed([AlertRule(name="r")])
    for monitor in (CLOCK, QUERIED):
        assert needed.is_met_by({"kind": "value", "monitor": monitor})
    assert needed.is_met_by({"kind": "detection", "monitor": "latency"})
    assert needed.is_met_by({})


@pytest.mark.parametrize("monitor", [[], {}, None, 3])
def test_a_monitor_that_is_no_name_is_needed_by_nobody(monitor: object) -> None:
    """Whoever may write to the topic cannot stop what reads it."""
    assert not Needed([AlertRule(name="r")]).is_met_by({"kind": "value", "monitor": monitor})
