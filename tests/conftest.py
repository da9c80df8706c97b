"""The real broker and store, for tests marked to use them, and who runs what when two share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling, Scheduling

from infra.broker import Broker
from infra.migrations import migrate
from infra.store import StoreServer
from streams.clickhouse_client import connect
from streams.log import Connection
from streams.store import StoreConnection
from tests.embedded import CACHE, free_port, running

# How long an example takes is the machine's affair.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

LARGE = ("tests/inference/", "tests/system/")
"""Tests of engines and whole systems; one process runs them, so that no two of them run at once."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run what is large first, so that no process is left alone with it in the end."""
    items.sort(key=lambda item: not item.nodeid.startswith(LARGE))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    """Return what hands tests to processes when several share."""
    return LargeTogether(config, log)


class LargeTogether(LoadFileScheduling):
    """All that is large goes to one process, everything else to any, file by file."""

    def _split_scope(self, nodeid: str) -> str:
        return "large" if nodeid.startswith(LARGE) else super()._split_scope(nodeid)


def require_marker(request: pytest.FixtureRequest, name: str) -> None:
    """Refuse a real server to a test that does not say, by its marker, that it uses one."""
    if request.node.get_closest_marker(name) is None:
        pytest.fail(f"mark the test with @pytest.mark.{name} to use the fixture {name}")


@pytest.fixture
def kafka(request: pytest.FixtureRequest) -> Connection:
    """A real broker, shared by the session; give topics and groups names of their own."""
    require_marker(request, "kafka")
    connection: Connection = request.getfixturevalue("kafka_server")
    return connection


@pytest.fixture
def clickhouse(request: pytest.FixtureRequest) -> Iterator[StoreConnection]:
    """A database of the test's own in a real store, with all tables, as its owner."""
    require_marker(request, "clickhouse")
    server: StoreServer = request.getfixturevalue("clickhouse_server")
    connection = replace(server.owner, database=f"test_{uuid4().hex}")
    migrate(connection)
    yield connection
    client = connect(connection)
    client.command(f"DROP DATABASE {connection.database}")
    client.close()


@pytest.fixture(scope="session")
def kafka_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    """Runs the broker behind :func:`kafka`."""
    broker = Broker(
        tmp_path_factory.mktemp("kafka"), CACHE, port=free_port(), controller_port=free_port()
    )
    with running(broker):
        yield broker.connection


@pytest.fixture(scope="session")
def clickhouse_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreServer]:
    """A real store with its three users and the tables of ``tidegate``."""
    server = StoreServer(
        tmp_path_factory.mktemp("clickhouse"), http_port=free_port(), native_port=free_port()
    )
    with running(server):
        migrate(server.owner)
        yield server
