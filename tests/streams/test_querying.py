"""What the rows of a rule's query mean."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from clickhouse_connect.driver.client import Client

from infra.store import StoreServer
from schemas.alert_rules import AlertRule, Query
from schemas.errors import ConfigError, PoisonError, StoreUnavailable
from schemas.watching import WHOLE_SYSTEM
from streams.clickhouse_client import connect
from streams.querying import LIMITS, Row, asking, findings_of
from streams.store import StoreConnection

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
RULE = AlertRule(
    name="many", query=Query(sql="SELECT 1 AS value WHERE now() > {at:DateTime64(3)}"), above=0.5
)


def test_a_row_is_a_finding() -> None:
    """Whose it is, its segment and its value, in words as well."""
    rows: list[Row] = [{"value": 2, "deployment": "bank", "pool": "small"}, {"value": "0.5"}]
    bank, whole = findings_of(RULE, rows, AT)
    assert (bank.deployment, bank.segment, bank.value) == ("bank", {"pool": "small"}, 2.0)
    assert (whole.deployment, whole.segment, whole.value) == (WHOLE_SYSTEM, {}, 0.5)
    assert bank.cause == "the query of rule many gives 2; it speaks above 0.5"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "-inf", None, "many", 10**400])
def test_a_value_that_is_no_finite_number_is_refused(value: object) -> None:
    """An average of nothing is one; the rule fails then, and nothing else does."""
    with pytest.raises(PoisonError, match="the query of rule many gives"):
        findings_of(RULE, [{"value": value}], AT)


@pytest.mark.clickhouse
def test_a_query_only_reads_and_has_limits_whoever_asks_it(clickhouse_server: StoreServer) -> None:
    """The owner, who could do everything, and the reader, who may not even set a limit."""
    server = clickhouse_server
    known = ", ".join(f"getSetting('{name}') AS {name}" for name in LIMITS)
    sql = f"SELECT {known}, {{at:DateTime64(3)}} AS at"
    of_owner, of_reader = (asking(user)(sql, AT)[0] for user in (server.owner, server.reader))
    assert {name: of_owner[name] for name in LIMITS} == LIMITS
    assert (of_owner["at"], of_reader["readonly"]) == (AT.replace(tzinfo=None), 1)
    for hostile in ("DROP TABLE findings", "SELECT 1 SETTINGS readonly = 0"):
        with pytest.raises(ConfigError, match="READONLY"):
            asking(server.owner)(hostile, AT)
    with pytest.raises(ConfigError, match=r"ACCESS_DENIED|READONLY"):
        asking(server.owner)("SELECT * FROM url('http://127.0.0.1:1/', 'CSV', 'a String')", AT)


@pytest.mark.clickhouse
def test_one_connection_serves_all_queries_until_the_store_is_away(
    clickhouse_server: StoreServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is made anew after that, and not because a query was refused."""
    made: list[Client] = []

    def counted(store: StoreConnection) -> Client:
        made.append(connect(store))
        return made[-1]

    monkeypatch.setattr("streams.querying.connect", counted)
    ask = asking(clickhouse_server.reader)
    for _ in range(3):
        assert ask("SELECT 1 AS value, {at:DateTime64(3)} AS at", AT)[0]["value"] == 1
    with pytest.raises(ConfigError):
        ask("SELECT nonsense, {at:DateTime64(3)}", AT)
    assert len(made) == 1
    with monkeypatch.context() as away:
        away.setattr(made[0], "query", _refuse)
        with pytest.raises(StoreUnavailable):
            ask("SELECT 1 AS value", AT)
    assert ask("SELECT 2 AS value", AT)[0]["value"] == 2
    assert len(made) == 2
    made[1].close()


def _refuse(*_: object, **__: object) -> None:
    raise OSError("connection refused")
