"""The store as the sink needs it: rows go in once, however often they are sent.

:mod:`streams.clickhouse_store` is ClickHouse, :mod:`streams.memory_store` a model of it; one suite
of contract tests holds both to what is written here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class StoreConnection:
    """How to reach ClickHouse, and as whom.

    Args:
        host: Its host.
        port: Its port of HTTP or, with ``secure``, of HTTPS.
        database: Where the tables are.
        username: The user.
        password: Never printed.
        secure: Whether to speak TLS.
        cafile: Certificates to trust, with TLS; the system's if empty.
        native_port: Its port of ClickHouse's own protocol, for clickhouse-client.
    """

    host: str
    port: int = 8123
    database: str = "tidegate"
    username: str = "default"
    password: str = field(default="", repr=False)
    secure: bool = False
    cafile: str = ""
    native_port: int = 9000


class Store(Protocol):
    """Where rows end; safe to use from several threads."""

    def insert(self, table: str, rows: Sequence[bytes], token: str) -> None:
        """Add ``rows`` to ``table``, all or none; a token that went in before adds nothing.

        Args:
            table: The table's name.
            rows: One JSON object each; keys that are no column are ignored.
            token: Names these rows for ever: whoever sends it again sends the same rows.

        Raises:
            StoreUnavailable: If the store does not answer, or refuses for a passing reason; the
                rows may be in or not, and sending them again under their token settles it.
            PoisonError: If the store refuses these rows themselves; none of them is in.
            ConfigError: If the table does not exist, or this user may not write it.
        """
        ...

    def close(self) -> None:
        """Give the connections back; never raises."""
        ...
