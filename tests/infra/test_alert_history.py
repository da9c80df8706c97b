"""Stored findings come back as they were, and a rule is tried on them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from alerts.needed import CLOCK
from infra.alert_history import stored_findings, tried_rules, would_have_told
from schemas.alert_rules import QUERIED, AlertRule, Query
from schemas.errors import ConfigError
from schemas.registry import Registry
from schemas.topics import FINDINGS
from schemas.watching import Finding
from streams.clickhouse_store import ClickHouseStore
from streams.querying import asking
from streams.rows import row_of
from streams.store import StoreConnection
from tests.alerts.test_lifecycle import found
from tests.infra.events import record

pytestmark = pytest.mark.clickhouse
AT = datetime.fromisoformat("2026-11-01T12:00:00Z")


def moved(finding: Finding) -> Finding:
    """Return the finding on a day that the tables still keep."""
    then = AT + (finding.occurred_at - finding.occurred_at.replace(hour=12, minute=0, second=0))
    return finding.model_copy(update={"occurred_at": then, "since_at": then, "e_value": 50.0})


@pytest.fixture
def store(clickhouse: StoreConnection) -> Iterator[StoreConnection]:
    """A store with a detection, written twice, a value, what is no monitor's, and a recovery."""
    tables = ClickHouseStore(clickhouse)
    began, value, ended = found("detection", 10), found("value", 20), found("recovery", 90)
    aside = [found("value", 30, monitor=name) for name in (CLOCK, QUERIED)]
    for number, finding in enumerate(map(moved, (began, began, value, *aside, ended))):
        row = row_of(record(FINDINGS.name, finding, offset=number))
        tables.insert("findings", [row], f"t{number}")
    yield clickhouse
    tables.close()


def test_findings_come_back_as_they_were(store: StoreConnection) -> None:
    """Each once, in order, with the evidence."""
    until = AT + timedelta(minutes=5)
    assert list(stored_findings(store, AT, until, values=True)) == [
        moved(found("detection", 10)),
        moved(found("value", 20)),
        moved(found("recovery", 90)),
    ]


def test_a_rule_is_tried_on_findings_and_a_query_on_the_past(store: StoreConnection) -> None:
    """Both say when they would have fired, and a query that asks too often is refused."""
    slow = AlertRule(name="slow", for_s=30)
    sql = "SELECT count() AS value FROM findings WHERE occurred_at <= {at:DateTime64(3)}"
    counted = AlertRule(name="many", query=Query(sql=sql, every_s=60), above=0.5)
    until = AT + timedelta(minutes=3)
    for rule, second in ((slow, 40), (counted, 60)):
        told = would_have_told(store, asking(store), rule, [rule], {"bank": []}, AT, until)
        first = next(told)
        assert first.state == "firing"
        assert first.occurred_at == AT + timedelta(seconds=second)
    late = AT + timedelta(days=9)
    with pytest.raises(ConfigError, match="more than 2000 times"):
        list(would_have_told(store, asking(store), counted, [counted], {"bank": []}, AT, late))


def test_a_rule_is_tried_with_those_it_refers_to(tmp_path: Path) -> None:
    """The file's rule stands in for one of its name; others come from the registry."""
    path = tmp_path / "r.yaml"
    path.write_text("name: r\nunless: [other]\n")
    rules = {name: AlertRule(name=name) for name in ("other", "r", "third")}
    registry = Registry(deployments={}, policies={}, rules=rules, versions={})
    rule, tried = tried_rules(path, registry)
    assert rule.unless == ("other",)
    assert {one.name for one in tried} == {"r", "other"}
    assert rule in tried
