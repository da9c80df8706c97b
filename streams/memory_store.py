"""A store in memory, for trying a pipeline without ClickHouse."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import orjson

from schemas.errors import ConfigError, PoisonError, StoreUnavailable
from schemas.topics import TOPICS


class MemoryStore:
    """Rows by table; see :class:`streams.store.Store` for what it promises.

    Attributes:
        tables: The rows of each table, in the order they went in.
        available: Set to False, and every insert is refused for a passing reason.
    """

    def __init__(self) -> None:
        self.tables: dict[str, list[bytes]] = {t.table: [] for t in TOPICS if t.table}
        self.available = True
        self._tokens: set[tuple[str, str]] = set()
        self._inserting = threading.Lock()

    def insert(self, table: str, rows: Sequence[bytes], token: str) -> None:
        """Keep ``rows``, if every one is a JSON object and the token is new to the table."""
        if table not in self.tables:
            raise ConfigError(f"the store has no table {table}", key="TIDEGATE_CLICKHOUSE")
        with self._inserting:
            if not self.available:
                raise StoreUnavailable("the store in memory is set to refuse")
            if not all(_is_object(row) for row in rows):
                raise PoisonError("the store refuses the rows: a row is no JSON object")
            if (table, token) not in self._tokens:
                self._tokens.add((table, token))
                self.tables[table] += rows

    def close(self) -> None:
        """Do nothing: there is no connection."""


def _is_object(row: bytes) -> bool:
    try:
        return isinstance(orjson.loads(row), dict)
    except orjson.JSONDecodeError:
        return False
