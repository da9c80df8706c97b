"""Fixtures of the real broker and store, for the tests that are marked to use them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from uuid import uuid4

import pytest

from infra.broker import Broker
from infra.migrations import migrate
from infra.store import StoreServer
from streams.clickhouse_client import connect
from streams.log import Connection
from streams.store import StoreConnection
from tests.embedded import CACHE, free_port, running

_MARKER_OF = {"kafka": "kafka", "clickhouse": "clickhouse", "clickhouse_server": "clickhouse"}


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Refuse a real server to a test that does not say, by its marker, that it uses one."""
    for fixture, marker in unmarked(item):
        pytest.fail(f"mark the test with @pytest.mark.{marker} to use the fixture {fixture}")


def unmarked(item: pytest.Item) -> list[tuple[str, str]]:
    """Return the real servers that ``item`` uses without saying so, and the marker that says it."""
    used = getattr(item, "fixturenames", ())
    return [
        (fixture, marker)
        for fixture, marker in _MARKER_OF.items()
        if fixture in used and not item.get_closest_marker(marker)
    ]


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    """A real, empty broker for the whole session; give topics and groups names of their own."""
    broker = Broker(
        tmp_path_factory.mktemp("kafka"), CACHE, port=free_port(), controller_port=free_port()
    )
    with running(broker):
        yield broker.connection


@pytest.fixture(scope="session")
def clickhouse_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreServer]:
    """A real store for the whole session, with its three users and the tables of ``tidegate``."""
    server = StoreServer(
        tmp_path_factory.mktemp("clickhouse"), http_port=free_port(), native_port=free_port()
    )
    with running(server):
        migrate(server.owner)
        yield server


@pytest.fixture
def clickhouse(clickhouse_server: StoreServer) -> Iterator[StoreConnection]:
    """A database of the test's own, with all tables, as its owner."""
    connection = replace(clickhouse_server.owner, database=f"test_{uuid4().hex}")
    migrate(connection)
    yield connection
    client = connect(connection)
    client.command(f"DROP DATABASE {connection.database}")
    client.close()
