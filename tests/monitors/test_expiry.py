"""Packs past their date."""

from __future__ import annotations

from datetime import UTC, date, datetime

from alerts.lifecycle import Alerts
from monitors import GUARDS, watch_of
from monitors.expiry import PackExpiry
from monitors.rules import Rule, RuleGuard, RulePack, packs
from schemas.alert_rules import AlertRule
from tests.monitors.observations import Stream
from tests.monitors.watching import told, values


def pack(*until: date) -> RulePack:
    """Return a pack whose rules hold until the given days."""
    rules = tuple(
        Rule(
            id=f"rule-{number}",
            looks_for="Something that a test looks for.",
            source="House rules, section 4",
            holds_until=day,
            patterns=("sample",),
        )
        for number, day in enumerate(until)
    )
    return RulePack(name="sample", about="A pack for this test.", rules=rules)


def test_an_expired_pack_is_told_once() -> None:
    """It speaks the day after, names the rules, and does not repeat itself at every tick."""
    stream = Stream("bank", datetime(2024, 5, 1, 12, tzinfo=UTC))
    monitor = PackExpiry([pack(date(2024, 5, 1), date(2024, 5, 3))])
    assert told(monitor, [stream.tick() for _ in range(3)]) == []
    day = 24 * 3600
    seen = [stream.after(day).tick(), stream.after(5).tick(), stream.after(2 * day).tick()]
    (only,) = told(monitor, seen)
    assert only.kind == "detection"
    assert only.segment == {"pack": "sample"}
    assert (only.value, only.samples) == (1.0, 2)
    assert "held until 2024-05-01" in only.cause
    assert "rule-0" in only.cause


def test_the_days_left_are_stated_once_a_day() -> None:
    """An operator sees the date come."""
    stream = Stream("bank", datetime(2024, 5, 1, 12, tzinfo=UTC))
    monitor = PackExpiry([pack(date(2024, 5, 8), date(2024, 6, 8))])
    left = values(monitor, [stream.after(6 * 3600).response(f"r{n}") for n in range(8)])
    assert [one.value for one in left] == [7.0, 6.0, 5.0]


def test_a_renewed_pack_recovers() -> None:
    """After a restart with later dates the state says that it had expired, and it recovers."""
    stream = Stream("bank", datetime(2024, 5, 2, 12, tzinfo=UTC))
    old, new = PackExpiry([pack(date(2024, 5, 1))]), PackExpiry([pack(date(2025, 5, 1))])
    assert len(told(old, [stream.tick()])) == 1
    new.restore(old.snapshot())
    (back,) = told(new, [stream.after(86_400).tick()])
    assert back.kind == "recovery"


def test_shipped_packs_hold_in_the_year_they_shipped() -> None:
    """Nothing is said of them on the first day of 2027."""
    stream = Stream("bank", datetime(2027, 1, 1, tzinfo=UTC))
    assert packs()
    assert told(PackExpiry(), [stream.tick()]) == []


def test_expired_shipped_packs_raise_an_alert() -> None:
    """From the packs that ship, by all monitors of a deployment, to what a subscriber reads."""
    stream = Stream("bank", datetime(2042, 1, 1, 12, tzinfo=UTC))
    watch, alerts = watch_of("bank"), Alerts("bank", [AlertRule(name="default")])
    findings = watch.observe(stream.response("r1"))
    changes = [change for found in findings for change in alerts.apply(found)]
    fired = [change for change in changes if change.monitor == PackExpiry.name]
    assert {change.segment["pack"] for change in fired} == {pack.name for pack in packs()}
    for change in fired:
        assert change.state == "firing"
        assert "have not been checked since" in change.cause


def test_every_guard_of_rules_has_its_pack_watched() -> None:
    """No pack is read by a guard and by no monitor, or the other way round."""
    read = {kind.pack for kind in GUARDS if issubclass(kind, RuleGuard)}
    assert read == {pack.name for pack in packs()}
