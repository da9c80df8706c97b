"""The whole way of a request, from what the store holds of it."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from infra.tracing import fetch, steps, tree
from schemas.base import Frozen
from schemas.topics import topic_of
from streams.clickhouse_client import connect
from streams.clickhouse_store import ClickHouseStore
from streams.rows import row_of
from streams.store import StoreConnection
from tests.infra import events


def put(connection: StoreConnection, topic: str, *put: Frozen) -> None:
    """Store events as the sink would."""
    table = topic_of(topic).table
    assert table is not None
    client = connect(connection)
    # The events are of a fixed day, which the tables would let go of.
    client.command(f"ALTER TABLE {table} REMOVE TTL")
    client.close()
    store = ClickHouseStore(connection)
    rows = [row_of(events.record(topic, event, offset=at)) for at, event in enumerate(put)]
    store.insert(table, rows, f"{topic}-1")
    store.close()


@pytest.mark.clickhouse
def test_a_request_is_followed_through_every_table(clickhouse: StoreConnection) -> None:
    """Each event of a request is a step, in order of time, and no raw text is shown."""
    put(clickhouse, "llm.requests.v1", events.requested(), events.requested("another"))
    put(clickhouse, "llm.work.small.v1", events.admitted())
    put(clickhouse, "llm.completions.v1", events.finished())
    put(clickhouse, "llm.responses.v1", events.released())
    put(clickhouse, "llm.verdicts.v1", events.scanned())
    way = steps(fetch(clickhouse, "r-1"))
    assert [step.at for step in way] == sorted(step.at for step in way)
    assert {step.what for step in way} == {
        "requested",
        "admitted",
        "taken",
        "first token",
        "completed",
        "answer scanned",
        "masked",
    }
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(tree("r-1", way))
    text = console.export_text()
    for shown in (
        "to pool small, topic cards, difficulty 0.25, easy",
        "11 tokens read, 22 written",
        "engine: died",
        "2.500 s end to end",
        "your card [CARD_1]",
        "read 90 of 100 characters",
        "3-7 card",
    ):
        assert shown in text
    assert events.RAW not in text


@pytest.mark.clickhouse
def test_an_unknown_request_has_no_way(clickhouse: StoreConnection) -> None:
    """Nothing stored is no step, whatever the id holds."""
    assert steps(fetch(clickhouse, "'; DROP TABLE requests; --")) == []
