"""Reads back, from Kafka and from ClickHouse, everything that belongs to the requests of a run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any

from infra.demo.ledger import Row
from schemas.codec import peek
from schemas.topics import (
    COMPLETIONS,
    DEADLETTER,
    REQUESTS,
    RESPONSES,
    VERDICTS,
    topic_of,
    work_topic,
)
from streams.clickhouse_client import connect, translated
from streams.log import Connection, Partition, Record
from streams.store import StoreConnection
from streams.tail import Tail

Positions = Mapping[Partition, int]


def topics(pools: Sequence[str]) -> list[str]:
    """Return the topics that a request passes."""
    own = [topic.name for topic in (REQUESTS, COMPLETIONS, RESPONSES, VERDICTS, DEADLETTER)]
    return own + [work_topic(pool) for pool in pools]


async def ends(connection: Connection, pools: Sequence[str]) -> Positions:
    """Return where the topics end now.

    Raises:
        LogUnavailable: If Kafka does not answer.
        ConfigError: If a topic is not there.
    """
    async with Tail(connection, topics(pools), from_start=False) as tail:
        return await tail.ends()


async def in_log(
    connection: Connection, pools: Sequence[str], since: Positions, run: str
) -> AsyncIterator[Row]:
    """Yield the committed records of requests whose id begins with ``run``.

    Args:
        connection: How to reach Kafka.
        pools: The pools there are.
        since: Where to begin, from :func:`ends`.
        run: What the ids of the run begin with.

    Raises:
        LogUnavailable: If Kafka does not answer.
        ConfigError: If a topic is not there.
    """
    async with Tail(connection, topics(pools), from_start=False) as tail:
        for partition, offset in since.items():
            tail.seek(partition, offset)
        async for record in tail.read_to_end():
            for row in _of_record(record, run):
                yield row


def _of_record(record: Record, run: str) -> Iterator[Row]:
    event = peek(record.value)
    request_id = str(event.get("request_id"))
    if not request_id.startswith(run):
        return
    kind = topic_of(record.partition.topic).table or ""
    unique = str(event.get("event_id", f"{record.partition.number}/{record.offset}"))
    if record.partition.topic == VERDICTS.name:
        direction = str(event["direction"])
        guards = tuple(str(verdict["guard"]) for verdict in event["verdicts"])
        yield Row("scans", request_id, unique, direction=direction)
        yield Row("verdicts", request_id, unique, direction=direction, guards=guards)
        return
    outcome = str(event.get("status", event.get("reason", "")))
    scannable = "served" in event if kind == "responses" else "failure" not in event
    gist = _gist(event) if kind in ("completions", "responses") else ""
    yield Row(kind, request_id, unique, outcome, scannable, gist=gist)


def _gist(event: Mapping[str, Any]) -> str:
    """Return what ``_GIST`` makes of the row that ``event`` became."""
    topic = event.get("route", {}).get("topic", "")
    tokens = event.get("usage", {}).get("completion_tokens", 0)
    return f"{event.get('pool', '')} {topic} {tokens} {int('timings' in event)}"


def in_store(store: StoreConnection, since_ms: int, run: str) -> Iterator[Row]:
    """Yield the rows of requests whose id begins with ``run``.

    Args:
        store: How to reach ClickHouse, as its reader.
        since_ms: A time before the run, as milliseconds since the epoch.
        run: What the ids of the run begin with.

    Raises:
        StoreUnavailable: If ClickHouse does not answer.
    """
    client = connect(store)
    try:
        for query in _QUERIES:
            with translated():
                found = client.query(query, parameters={"run": run, "since": since_ms})
            for kind, ident, event, outcome, due, side, guards, gist in found.result_rows:
                yield Row(kind, ident, event, outcome, bool(due), side, tuple(guards), gist)
    finally:
        client.close()


SINCE = "appended_at >= fromUnixTimestamp64Milli({since:Int64})"
OF_RUN = f"startsWith(request_id, {{run:String}}) AND {SINCE}"
"""Conditions on the rows of every table, with the parameters ``run`` and ``since``."""
_ID = "request_id, toString(event_id)"
_GIST = (
    "concat(pool, ' ', route_topic, ' ', toString(completion_tokens), ' ',"
    " toString(taken_at IS NOT NULL))"
)


def _query(table: str, **said: str) -> str:
    columns = ("outcome", "scannable", "direction", "guards", "gist")
    given = {"scannable": "0", "guards": "[]::Array(String)", **said}
    listed = ", ".join(given.get(column, "''") for column in columns)
    return f"SELECT '{table}', {_ID}, {listed} FROM {table} WHERE {OF_RUN}"


_QUERIES = (
    _query("requests"),
    _query("admissions"),
    _query("completions", scannable="failure_reason = ''", gist=_GIST),
    _query("responses", outcome="status", scannable="policy != ''", gist=_GIST),
    _query("scans", direction="direction"),
    _query("verdicts", direction="direction", guards="groupArray(toString(guard))")
    + " GROUP BY request_id, event_id, direction",
    _query("dead_letters", outcome="reason"),
)
