"""The store on ClickHouse: rows go in as the JSON they are, one block an insert."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from clickhouse_connect.driver.client import Client

from schemas.errors import ConfigError
from streams.clickhouse_client import connect, translated
from streams.store import StoreConnection

_SETTINGS = {
    # Acknowledged means stored, and stored as one block: the server drops a block whose token it
    # knows, in the table and in every view behind it.
    "async_insert": 0,
    "insert_deduplicate": 1,
    "deduplicate_blocks_in_dependent_materialized_views": 1,
    "input_format_parallel_parsing": 0,
    "max_insert_threads": 1,
    "max_insert_block_size": 1_048_576,
    "min_insert_block_size_bytes": 0,
    "distributed_foreground_insert": 1,
    # An event is read as events are: keys we do not know are ignored, absent ones have defaults.
    "input_format_skip_unknown_fields": 1,
    "input_format_json_ignore_unknown_keys_in_named_tuple": 1,
    "input_format_json_defaults_for_missing_elements_in_named_tuple": 1,
    "input_format_null_as_default": 1,
    "input_format_defaults_for_omitted_fields": 1,
    "date_time_input_format": "best_effort",
}

_COLUMNS = """
WITH columns AS (
    SELECT name, position, default_kind, default_expression FROM system.columns
    WHERE database = currentDatabase() AND table = {table:String}
)
SELECT name FROM columns
WHERE default_kind NOT IN ('MATERIALIZED', 'ALIAS') AND NOT (
    default_kind = 'DEFAULT' AND arrayExists(
        object -> position(default_expression, object || '.') > 0,
        (SELECT groupArray(name) FROM columns WHERE default_kind = 'EPHEMERAL')
    )
)
ORDER BY position
"""


class ClickHouseStore:
    """ClickHouse; see :class:`streams.store.Store` for what it promises.

    No error of it quotes a row.

    Args:
        connection: How to reach it, as a user who may insert.
    """

    def __init__(self, connection: StoreConnection) -> None:
        self._connection = connection
        self._opening = threading.Lock()
        self._opened: Client | None = None
        self._columns: dict[str, list[str]] = {}

    def insert(self, table: str, rows: Sequence[bytes], token: str) -> None:
        """Send ``rows`` as one block."""
        client = self._client()
        columns = self._columns_of(table, client)
        with translated():
            client.raw_insert(
                table,
                column_names=columns,
                insert_block=b"\n".join(rows),
                fmt="JSONEachRow",
                settings=_SETTINGS | {"insert_deduplication_token": token},
            )

    def close(self) -> None:
        """Close the connections; the next insert opens them anew."""
        with self._opening:
            if self._opened is not None:
                self._opened.close()
            self._opened = None

    def _client(self) -> Client:
        with self._opening:
            if self._opened is None:
                self._opened = connect(self._connection, explain=False)
            return self._opened

    def _columns_of(self, table: str, client: Client) -> list[str]:
        """Return the columns that come from rows, asked for once.

        An insert that names no columns leaves out the ephemeral ones, which hold an event's nested
        objects until the flat columns have been made from them. Those flat columns must not be
        named: if they are, and one row of a block lacks the object, all its rows lose it.
        """
        if table not in self._columns:
            with translated():
                found = client.query(_COLUMNS, parameters={"table": table})
            columns = [str(row[0]) for row in found.result_rows]
            if not columns:
                raise ConfigError(f"the store has no table {table}", key="TIDEGATE_CLICKHOUSE")
            self._columns[table] = columns
        return self._columns[table]
