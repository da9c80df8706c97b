"""Fixtures of the real broker and store, for the tests that are marked to use them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from infra.broker import Broker
from streams.log import Connection
from tests.embedded import CACHE, free_port, running

_MARKED = ("kafka", "clickhouse")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Refuse a real server to a test that does not say, by its marker, that it uses one."""
    for name in unmarked(item):
        pytest.fail(f"mark the test with @pytest.mark.{name} to use the fixture {name}")


def unmarked(item: pytest.Item) -> list[str]:
    """Return the real servers that ``item`` uses without the marker of that name."""
    used = getattr(item, "fixturenames", ())
    return [name for name in _MARKED if name in used and not item.get_closest_marker(name)]


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    """A real, empty broker for the whole session; give topics and groups names of their own."""
    broker = Broker(
        tmp_path_factory.mktemp("kafka"), CACHE, port=free_port(), controller_port=free_port()
    )
    with running(broker):
        yield broker.connection
