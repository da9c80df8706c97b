"""``tidegate sql`` is the real clickhouse-client, as the user it is given."""

from __future__ import annotations

import pytest

from infra.sql import client_command, sql
from infra.store import StoreServer
from streams.store import StoreConnection


@pytest.mark.clickhouse
def test_one_query_prints_its_result(
    clickhouse_server: StoreServer, capfd: pytest.CaptureFixture[str]
) -> None:
    """It runs in our database as that user, and ends with 0."""
    assert sql(clickhouse_server.writer, "SELECT currentUser(), currentDatabase()") == 0
    assert capfd.readouterr().out.split() == ["tidegate_writer", "tidegate"]


@pytest.mark.clickhouse
def test_a_query_that_fails_says_why(
    clickhouse_server: StoreServer, capfd: pytest.CaptureFixture[str]
) -> None:
    """ClickHouse's own sentence is printed, and it ends with 1."""
    assert sql(clickhouse_server.reader, "DROP TABLE requests") == 1
    assert "Not enough privileges" in capfd.readouterr().err


def test_another_server_is_reached_as_it_wants() -> None:
    """Host, port and TLS come from the connection; the password is in no command line."""
    there = StoreConnection(
        "store.example", username="eve", password="secret", secure=True, native_port=9440
    )
    words = client_command(there, None)
    assert {"--host=store.example", "--port=9440", "--user=eve", "--secure"} <= set(words)
    assert not [word for word in words if "secret" in word]
