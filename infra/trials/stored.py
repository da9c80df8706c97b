"""What the store holds of what is on Kafka: as many rows as records, each once."""

from __future__ import annotations

import time
from collections.abc import Mapping

from clickhouse_connect.driver.client import Client
from pydantic import BaseModel, ConfigDict

from infra.trials.ledger import Ledger
from schemas.topics import REQUESTS, VERDICTS, topic_of
from streams.clickhouse_client import connect
from streams.log import Partition
from streams.store import StoreConnection

REPEATING = ("findings", "alerts")
"""Tables whose writers may repeat an event, byte for byte; their tables join what is the same."""
_LOOK_EVERY_S = 0.5


class Rows(BaseModel):
    """How one table stands against Kafka.

    Attributes:
        rows: Rows of records up to where Kafka was read.
        unique: Distinct events among them.
        expected: Events on Kafka up to there.
    """

    model_config = ConfigDict(frozen=True)

    rows: int
    unique: int
    expected: int

    def is_right(self, table: str) -> bool:
        """Return whether every event is there and, where nobody may repeat it, once."""
        return self.unique == self.expected and (table in REPEATING or self.rows == self.unique)


def read_tables(store: StoreConnection, ledger: Ledger, patience_s: float) -> dict[str, Rows]:
    """Return how each table stands against ``ledger``, once all are right or time is up.

    Args:
        store: How to reach ClickHouse, as a reader.
        ledger: What was read from Kafka.
        patience_s: How long the sink may take to catch up.

    Raises:
        StoreUnavailable: If the store does not answer.
    """
    deadline = time.monotonic() + patience_s
    while True:
        found = _read_tables(store, ledger)
        if all(rows.is_right(table) for table, rows in found.items()):
            return found
        if time.monotonic() > deadline:
            return found
        time.sleep(_LOOK_EVERY_S)


def _read_tables(store: StoreConnection, ledger: Ledger) -> dict[str, Rows]:
    client = connect(store)
    try:
        found = {}
        for table, names in _tables(ledger).items():
            where = _up_to({p: end for p, end in ledger.ends.items() if p.topic in names})
            unique = "(event_id, guard)" if table == "verdicts" else "event_id"
            query = f"SELECT count(), uniqExact({unique}) FROM {table} WHERE {where}"
            rows, distinct = client.query(query).result_rows[0]
            found[table] = Rows(
                rows=rows, unique=distinct, expected=_expected(table, names, ledger)
            )
        return found | _views(client)
    finally:
        client.close()


def _views(client: Client) -> dict[str, Rows]:
    """Return how the rollups stand against the tables they are made from."""
    views = {}
    for table, view in (("responses", "responses_per_minute"), ("verdicts", "verdicts_per_minute")):
        whole, summed = client.query(
            f"SELECT (SELECT count() FROM {table}), (SELECT sum({table}) FROM {view})"
        ).result_rows[0]
        views[view] = Rows(rows=summed, unique=summed, expected=whole)
    return views


def _tables(ledger: Ledger) -> dict[str, list[str]]:
    """Return the topics behind each table."""
    tables: dict[str, list[str]] = {}
    for name in ledger.records:
        table = topic_of(name).table
        if table is not None:
            tables.setdefault(table, []).append(name)
            if name == VERDICTS.name:
                tables.setdefault("verdicts", []).append(name)
    return tables


def _expected(table: str, names: list[str], ledger: Ledger) -> int:
    if table == REQUESTS.table:
        return ledger.valid
    if table == "verdicts":
        return ledger.verdicts
    return sum(len(ledger.ids[name]) for name in names)


def _up_to(ends: Mapping[Partition, int]) -> str:
    """Return the condition that picks the records before ``ends``."""
    return " OR ".join(
        f"(kafka_topic = '{topic}' AND kafka_partition = {number} AND kafka_offset < {end})"
        for (topic, number), end in ends.items()
    )
