"""The tables take every event as it is, give back what it said, and keep no raw text."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client
from pydantic import BaseModel

import schemas
from schemas.base import Frozen
from schemas.codec import decode_any
from schemas.topics import TOPICS, topic_of
from streams.clickhouse_client import connect
from streams.clickhouse_store import ClickHouseStore
from streams.log import Partition, Record
from streams.rows import row_of
from streams.store import StoreConnection
from tests.infra import events

EXAMPLES = Path(schemas.__file__).parent / "examples"

pytestmark = pytest.mark.clickhouse


class Tables:
    """The tables of one test, and how to fill and read them."""

    def __init__(self, connection: StoreConnection) -> None:
        self.client: Client = connect(connection)
        self.store = ClickHouseStore(connection)
        # The events of these tests are of a fixed day, which the tables would let go of.
        expiring = self.client.query(
            "SELECT name FROM system.tables"
            " WHERE database = currentDatabase() AND engine_full LIKE '% TTL %'"
        )
        for (table,) in expiring.result_rows:
            self.client.command(f"ALTER TABLE {table} REMOVE TTL")

    def put(self, topic: str, table: str, *put: Frozen, token: str = "t", offset: int = 7) -> None:
        """Insert events as records of ``topic``, one offset after the other."""
        rows = [
            row_of(events.record(topic, event, offset=offset + index))
            for index, event in enumerate(put)
        ]
        self.store.insert(table, rows, token)

    def row(self, sql: str) -> dict[str, Any]:
        """Return the one row that ``sql`` finds, by column."""
        found = self.client.query(sql)
        assert found.row_count == 1, found.result_rows
        return dict(zip(found.column_names, found.result_rows[0], strict=True))

    def one(self, sql: str) -> Any:
        """Return the one value that ``sql`` finds."""
        return next(iter(self.row(sql).values()))


@pytest.fixture
def tables(clickhouse: StoreConnection) -> Iterator[Tables]:
    """All tables, empty."""
    made = Tables(clickhouse)
    yield made
    made.store.close()
    made.client.close()


def bare(at: datetime) -> datetime:
    """Return ``at`` as the driver gives UTC back."""
    return at.replace(tzinfo=None)


def agree(row: dict[str, Any], event: BaseModel) -> set[str]:
    """Check that columns named like fields of ``event`` hold their values; return their names."""
    said = event.model_dump(exclude_none=True)
    shared = set(row) & set(said)
    for name in shared:
        value = said[name]
        if isinstance(value, datetime):
            assert row[name] == bare(value), name
        elif name == "passages":
            assert row[name] == len(value)
        elif name != "verdicts":
            assert row[name] == listed(value), name
    return shared


def listed(value: Any) -> Any:
    """Return ``value`` with lists for tuples, as the driver gives arrays back."""
    if isinstance(value, dict):
        return {key: listed(item) for key, item in value.items()}
    return [listed(item) for item in value] if isinstance(value, tuple) else value


@pytest.mark.parametrize(("topic", "table", "event"), events.STORED)
def test_every_event_comes_back_as_it_was(
    tables: Tables, topic: str, table: str, event: Frozen
) -> None:
    """Each field that has a column of its name holds the event's value, beside its position."""
    tables.put(topic, table, event)
    row = tables.row(f"SELECT * FROM {table}")
    assert (row["kafka_topic"], row["kafka_partition"], row["kafka_offset"]) == (topic, 1, 7)
    assert row["appended_at"] == bare(events.APPENDED_AT)
    assert agree(row, event) >= {"event_id", "occurred_at"}


def test_every_golden_example_comes_back_as_it_was(tables: Tables) -> None:
    """The published examples go in as they are, and what they say is found in the columns."""
    examples = sorted(EXAMPLES.glob("*/*.json"))
    stored = 0
    for offset, path in enumerate(examples):
        topic = topic_of(path.parent.name)
        if topic.table is None:
            continue
        value = path.read_bytes()
        at_ms = round(events.APPENDED_AT.timestamp() * 1000)
        record = Record(Partition(path.parent.name, 0), offset, at_ms, None, value)
        tables.store.insert(topic.table, [row_of(record)], path.name)
        row = tables.row(f"SELECT * FROM {topic.table} WHERE kafka_offset = {offset}")
        event = decode_any(topic, value)
        assert agree(row, event), path
        flat = nested(event)
        assert {name: row[name] for name in flat} == flat, path
        stored += 1
    assert stored >= len({topic.table for topic in TOPICS if topic.table})


def test_a_row_is_the_same_whatever_stands_beside_it(tables: Tables) -> None:
    """Events with and without nested objects in one block keep what each of them said."""
    blocks: dict[str, list[Record]] = {}
    for offset, path in enumerate(sorted(EXAMPLES.glob("*/*.json"))):
        if table := topic_of(path.parent.name).table:
            at_ms = round(events.APPENDED_AT.timestamp() * 1000)
            where = Partition(path.parent.name, 0)
            blocks.setdefault(table, []).append(
                Record(where, offset, at_ms, None, path.read_bytes())
            )
    for table, records in blocks.items():
        tables.store.insert(table, [row_of(record) for record in records], "together")
        columns = f"SELECT * FROM {table} ORDER BY kafka_offset"
        together = tables.client.query(columns).result_rows
        tables.client.command(f"TRUNCATE TABLE {table}")
        for record in records:
            tables.store.insert(table, [row_of(record)], f"alone {record.offset}")
        assert tables.client.query(columns).result_rows == together, table
        assert len(together) == len(records)


def nested(event: BaseModel) -> dict[str, Any]:
    """Return what ``event`` keeps in objects, by the columns it should stand in."""
    found: dict[str, Any] = {}
    if usage := getattr(event, "usage", None):
        found |= usage.model_dump()
    if timings := getattr(event, "timings", None):
        dumped = timings.model_dump()
        found |= {k: bare(v) if isinstance(v, datetime) else v for k, v in dumped.items()}
    if failure := getattr(event, "failure", None):
        found |= {"failure_reason": failure.reason, "failure_detail": failure.detail}
    if route := getattr(event, "route", None):
        found |= {"route_topic": route.topic, "route_reason": route.reason, "pool": route.pool}
    if served := getattr(event, "served", None):
        found |= {"policy": served.policy, "metadata": served.metadata}
    if changed := getattr(event, "changed", None):
        moments = changed.model_dump().items()
        found |= {f"changed_{name}": bare(at) for name, at in moments}
    if origin := getattr(event, "origin", None):
        found |= {"origin_topic": origin.topic, "origin_offset": origin.offset}
    return found


def test_nested_objects_become_flat_columns(tables: Tables) -> None:
    """What an event keeps in objects stands in columns with the field's own name."""
    tables.put("llm.completions.v1", "completions", events.finished())
    row = tables.row("SELECT * FROM completions")
    assert row["prompt_tokens"] == 11
    assert row["completion_tokens"] == 22
    assert row["cached_tokens"] == 3
    assert row["failure_reason"] == "engine"
    assert (row["route_topic"], row["route_reason"], row["difficulty"]) == ("cards", "easy", 0.25)
    assert (row["queue_s"], row["ttft_s"], row["tpot_s"], row["generation_s"]) == (
        0.5,
        0.125,
        0.0625,
        1.5,
    )
    assert row["first_token_at"] == bare(events.AT)
    assert (row["origin_topic"], row["origin_partition"], row["origin_offset"]) == (
        "llm.requests.v1",
        2,
        41,
    )


def test_an_answer_knows_what_served_it_and_how_long_it_took(tables: Tables) -> None:
    """A response has the policy, groups and request of what served it, and broker-time latency."""
    tables.put("llm.responses.v1", "responses", events.released())
    row = tables.row("SELECT * FROM responses")
    assert row["latency_s"] == 2.5
    assert (row["deployment_version"], row["policy"], row["policy_version"]) == (
        "d1",
        "default",
        "p1",
    )
    assert row["metadata"] == {"group": "a", "tag": "b"}
    assert (row["request_partition"], row["request_offset"]) == (2, 41)
    assert (row["origin_topic"], row["origin_offset"]) == ("llm.completions.v1", 5)


def test_an_answer_that_nothing_served_belongs_to_its_origin(tables: Tables) -> None:
    """Without ``served`` the response's origin is the request, and all else is empty."""
    tables.put("llm.responses.v1", "responses", events.unserved())
    row = tables.row("SELECT * FROM responses")
    assert (row["request_partition"], row["request_offset"]) == (2, 41)
    assert (row["failure_reason"], row["failure_detail"]) == ("invalid", "the prompt is empty")
    assert (row["policy"], row["metadata"], row["ttft_s"], row["taken_at"]) == ("", {}, None, None)


def test_every_verdict_is_a_row(tables: Tables) -> None:
    """A scan explodes into its verdicts, each with what the scan knows."""
    tables.put("llm.verdicts.v1", "scans", events.scanned())
    found = tables.client.query("SELECT * FROM verdicts ORDER BY guard")
    rows = [dict(zip(found.column_names, row, strict=True)) for row in found.result_rows]
    assert [(row["guard"], row["outcome"]) for row in rows] == [("pii", "mask"), ("tone", "pass")]
    assert rows[0]["request_id"] == "r-1"
    assert (rows[0]["score"], rows[0]["threshold"]) == (0.5, 0.25)
    assert (rows[0]["scanned_chars"], rows[0]["total_chars"], rows[0]["latency_ms"]) == (
        90,
        100,
        1.5,
    )
    assert rows[0]["spans"] == [{"start": 3, "end": 7, "label": "card"}]


def test_what_is_sent_again_is_counted_once_everywhere(tables: Tables) -> None:
    """A token that went in adds nothing to the table, the verdicts or the counts by minute."""
    many = [events.scanned()] * 500
    for _ in range(3):
        tables.put("llm.verdicts.v1", "scans", *many)
        tables.put("llm.responses.v1", "responses", events.released())
    assert tables.one("SELECT count() FROM scans") == 500
    assert tables.one("SELECT count() FROM verdicts") == 1000
    assert tables.one("SELECT sum(verdicts) FROM verdicts_per_minute") == 1000
    assert tables.one("SELECT sum(responses) FROM responses_per_minute") == 1


def test_equal_rows_under_other_tokens_all_count(tables: Tables) -> None:
    """Only the token says what is the same: equal verdicts of two batches are four rows."""
    tables.put("llm.verdicts.v1", "scans", events.scanned(), token="one")
    tables.put("llm.verdicts.v1", "scans", events.scanned(), token="two")
    assert tables.one("SELECT count() FROM verdicts") == 4
    assert tables.one("SELECT sum(verdicts) FROM verdicts_per_minute") == 4


@pytest.mark.parametrize(
    ("topic", "table", "event"),
    [
        each
        for each in events.STORED
        if each[1] in ("findings", "alerts", "feedback", "control", "evaluations")
    ],
)
def test_an_event_written_twice_is_read_once(
    tables: Tables, topic: str, table: str, event: Frozen
) -> None:
    """Writers that may repeat an event after a kill have tables that join it by its id."""
    tables.put(topic, table, event, token="first", offset=7)
    tables.put(topic, table, event, token="second", offset=9)
    assert tables.one(f"SELECT count() FROM {table} FINAL") == 1


def test_raw_text_and_sealed_bytes_have_no_column(tables: Tables) -> None:
    """No column is there for them, and no value of any table holds them."""
    names = tables.client.query(
        "SELECT table || '.' || name FROM system.columns WHERE database = currentDatabase()"
    )
    columns = {str(row[0]) for row in names.result_rows}
    leaks = {"prompt", "messages", "text", "sealed", "sealed_key", "sealed_value"}
    assert not {column for column in columns if column.split(".")[1] in leaks}
    for topic, table, event in events.STORED:
        tables.put(topic, table, event)
        stored = str(tables.row(f"SELECT * FROM {table}"))
        assert events.RAW not in stored
        assert "sealed-bytes" not in stored


def test_every_record_is_accounted_for(tables: Tables) -> None:
    """A request is in flight until one response or dead letter at its position ends it."""
    for offset in (41, 42):
        request = events.record("llm.requests.v1", events.requested(f"r-{offset}"), 2, offset)
        tables.store.insert("requests", [row_of(request)], f"requests-{offset}")
    tables.put("llm.responses.v1", "responses", events.released())
    tables.put("llm.deadletter.v1", "dead_letters", events.set_aside())
    found = tables.client.query(
        "SELECT request_offset, outcome FROM request_outcomes ORDER BY request_offset"
    )
    assert found.result_rows == [(41, "masked"), (42, "in_flight"), (43, "undecodable")]
    totals = tables.row(
        "SELECT sum(requests), sum(masked), sum(in_flight), sum(only_dead_letter) FROM accounting"
    )
    assert list(totals.values()) == [3, 1, 1, 1]


def test_a_second_answer_shows(tables: Tables) -> None:
    """Two responses to one record are no outcome but a fault."""
    tables.put("llm.responses.v1", "responses", events.released(), events.released())
    assert tables.one("SELECT outcome FROM request_outcomes") == "answered_twice"


def test_views_show_latency_guards_and_open_alerts(tables: Tables) -> None:
    """The views for dashboards give figures by minute, and alerts until they are resolved."""
    tables.put("llm.responses.v1", "responses", events.released())
    tables.put("llm.verdicts.v1", "scans", events.scanned())
    tables.put("llm.alerts.v1", "alerts", events.alerted())
    causes = "SELECT causes[1].segment['channel'] FROM open_alerts"
    assert tables.one(causes) == "app"
    assert tables.row("SELECT latency_p50_s, ttft_p99_s, responses FROM latency") == {
        "latency_p50_s": 2.5,
        "ttft_p99_s": 0.125,
        "responses": 1,
    }
    assert tables.row(
        "SELECT verdicts, spoke, spoke_rate, round(scanned_rate, 2) AS scanned_rate"
        " FROM guard_rates WHERE guard = 'pii'"
    ) == {"verdicts": 1, "spoke": 1, "spoke_rate": 1.0, "scanned_rate": 0.9}
    assert tables.one("SELECT alert_id FROM open_alerts") == "a-1"
    tables.put("llm.alerts.v1", "alerts", events.alerted("resolved"), token="end")
    assert tables.one("SELECT count() FROM open_alerts") == 0
    assert tables.one("SELECT count() FROM alert_log") == 2
