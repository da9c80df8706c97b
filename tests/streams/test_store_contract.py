"""What every store promises to the sink, held against the real one and the one in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from schemas.errors import ConfigError, PoisonError
from streams.clickhouse_client import connect
from streams.clickhouse_store import ClickHouseStore
from streams.memory_store import MemoryStore
from streams.store import Store, StoreConnection

Counts = Callable[[], int]
SECRET = "what a customer wrote"


@pytest.fixture(params=["memory", pytest.param("clickhouse", marks=pytest.mark.clickhouse)])
def kind(request: pytest.FixtureRequest) -> str:
    """Which of the stores a test holds to the contract."""
    name: str = request.param
    return name


@pytest.fixture
def opened(kind: str, request: pytest.FixtureRequest) -> Iterator[tuple[Store, Counts]]:
    """A store, and how many rows its table ``requests`` has."""
    if kind == "memory":
        memory = MemoryStore()
        yield memory, lambda: len(memory.tables["requests"])
        return
    connection: StoreConnection = request.getfixturevalue("clickhouse")
    client = connect(connection)
    store = ClickHouseStore(connection)
    yield store, lambda: int(client.query("SELECT count() FROM requests").result_rows[0][0])
    store.close()
    client.close()


def rows(*offsets: int) -> list[bytes]:
    """Return rows for the table ``requests``."""
    return [
        b'{"kafka_topic":"t","kafka_partition":0,"kafka_offset":%d,"appended_at":%d,'
        b'"request_id":"r%d","metadata":{"a":"b"},"unknown":{"x":[1]}}'
        % (at, 4_000_000_000_000, at)
        for at in offsets
    ]


def test_rows_go_in(opened: tuple[Store, Counts]) -> None:
    """Rows are there when the call returns; keys that are no column do no harm."""
    store, count = opened
    store.insert("requests", rows(1, 2, 3), "one")
    assert count() == 3


def test_a_token_goes_in_once(opened: tuple[Store, Counts]) -> None:
    """The same rows under the same token add nothing, however often they are sent."""
    store, count = opened
    for _ in range(3):
        store.insert("requests", rows(1, 2), "same")
    assert count() == 2


def test_the_token_alone_says_what_is_the_same(opened: tuple[Store, Counts]) -> None:
    """Equal rows under another token are other rows."""
    store, count = opened
    store.insert("requests", rows(1), "one")
    store.insert("requests", rows(1), "two")
    assert count() == 2


def test_a_token_is_of_its_table(opened: tuple[Store, Counts]) -> None:
    """A token used for one table is new to the next."""
    store, count = opened
    store.insert("dead_letters", rows(1), "same")
    store.insert("requests", rows(1), "same")
    assert count() == 1


@pytest.mark.parametrize("bad", [b"no json " + SECRET.encode(), b'["' + SECRET.encode() + b'"]'])
def test_one_bad_row_keeps_all_out(opened: tuple[Store, Counts], bad: bytes) -> None:
    """Rows go in together or not at all, and the refusal does not quote them."""
    store, count = opened
    with pytest.raises(PoisonError) as refused:
        store.insert("requests", [*rows(1), bad, *rows(2)], "bad")
    assert count() == 0
    error: BaseException | None = refused.value
    while error is not None:
        assert SECRET not in str(error)
        error = error.__cause__


def test_a_refused_token_may_be_used_again(opened: tuple[Store, Counts]) -> None:
    """What was refused did not go in, so its token is not spent."""
    store, count = opened
    with pytest.raises(PoisonError):
        store.insert("requests", [b"no json"], "again")
    store.insert("requests", rows(1), "again")
    assert count() == 1


def test_a_table_that_is_not_there_needs_an_operator(opened: tuple[Store, Counts]) -> None:
    """Nobody can retry a missing table into being."""
    store, _ = opened
    with pytest.raises(ConfigError, match="no table nowhere"):
        store.insert("nowhere", rows(1), "t")


def test_threads_share_a_store(opened: tuple[Store, Counts]) -> None:
    """Inserts of several threads at once all go in, and repeats among them do not."""
    store, count = opened
    start = threading.Barrier(4)

    def insert(batch: int) -> Any:
        start.wait(10)
        store.insert("requests", rows(batch), f"batch-{batch % 3}")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(insert, [0, 1, 2, 0]))
    assert count() == 3


def test_a_closed_store_opens_itself_again(opened: tuple[Store, Counts]) -> None:
    """Closing gives connections back; it does not end the store."""
    store, count = opened
    store.insert("requests", rows(1), "one")
    store.close()
    store.insert("requests", rows(2), "two")
    assert count() == 2
