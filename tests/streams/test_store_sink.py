"""The sink: what reaches the store, and what a store that is away costs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import orjson

from schemas.codec import encode
from schemas.errors import PoisonError, StoreUnavailable
from schemas.topics import AUDIT, DEADLETTER, REQUESTS, RESPONSES
from streams.log import Partition, Record
from streams.loop import Loop
from streams.memory_log import MemoryLog
from streams.memory_store import MemoryStore
from streams.rows import row_of
from streams.store_sink import DECLARED, StoreSink
from tests.streams import gating, works
from tests.streams.virtual import Inline, run

GOOD = b'{"schema_version":1,"event_id":"x"}'
Insert = Callable[[str, Sequence[bytes], str], None]


class Scene:
    """A log, a store and a sink between them."""

    def __init__(self, topic: str = AUDIT.name) -> None:
        self.topic = topic
        self.log = MemoryLog({topic: 1, DEADLETTER.name: 1})
        self.store = MemoryStore()
        self.stop = asyncio.Event()

    def start(self, insert: Insert | None = None, **options: object) -> asyncio.Task[None]:
        """Start a process."""
        self.stop = asyncio.Event()
        sink = StoreSink(
            insert or self.store.insert,
            works.SEAL,
            consumer="sink",
            executor=Inline(),
            elsewhere=frozenset([REQUESTS.name]),
            linger_s=1.0,
            **options,  # type: ignore[arg-type]
        )
        loop = Loop(self.log, group="sink", member="a", topics=[self.topic], work=sink)
        return asyncio.create_task(loop.run(self.stop, lambda: None))

    async def position(self) -> tuple[int, str]:
        """Return what is committed."""
        found = await self.log.committed("sink", Partition(self.topic, 0))
        return found.offset, found.metadata


def test_row_has_its_position_in_front() -> None:
    """A row is the event's own JSON with where and when it stood."""
    row = orjson.loads(row_of(Record(Partition(AUDIT.name, 2), 7, 1_700_000_000_123, None, GOOD)))
    assert row["kafka_topic"] == AUDIT.name
    assert (row["kafka_partition"], row["kafka_offset"]) == (2, 7)
    assert row["event_id"] == "x"


def test_event_cannot_say_where_it_stood() -> None:
    """A key of the event's own that is named like the position does not take its place."""
    value = b'{"schema_version":1,"kafka_offset":99,"appended_at":5,"event_id":"x"}'
    row = row_of(Record(Partition(AUDIT.name, 2), 7, 1_700_000_000_123, None, value))
    assert row.count(b"kafka_offset") == row.count(b"appended_at") == 1
    assert orjson.loads(row)["kafka_offset"] == 7


def test_no_raw_text_leaves_for_the_store() -> None:
    """Of a request its digest and length, of a response its masked text."""
    request = gating.request(prompt="my secret question", passages=["my secret passage"])
    assert b"secret" not in row_of(request)
    row = orjson.loads(row_of(request))
    assert row["prompt_chars"] == len("my secret question")
    assert len(row["prompt_sha256"]) == 64
    response = gating.events(gating.make_gate()([gating.completion(text="secret [CARD_1]")]))
    record = Record(Partition(RESPONSES.name, 0), 1, 0, None, encode(response[RESPONSES.name][0]))
    assert "text" not in orjson.loads(row_of(record))
    assert orjson.loads(row_of(record))["text_masked"] == "secret [CARD_1]"


def test_declared_batch_is_committed_with_the_next() -> None:
    """Before a batch is inserted its end is declared; an idle lane declares nothing."""

    async def main() -> None:
        scene = Scene()
        seen: list[tuple[int, str]] = []

        def insert(table: str, rows: Sequence[bytes], token: str) -> None:
            position = scene.log._committed["sink", Partition(AUDIT.name, 0)]
            seen.append((position.offset, position.metadata))
            scene.store.insert(table, rows, token)

        for _ in range(5):
            scene.log.append(AUDIT.name, GOOD)
        task = scene.start(insert)
        await asyncio.sleep(5.0)
        assert seen == [(0, f"{DECLARED}4")]
        assert await scene.position() == (5, "")
        scene.stop.set()
        await task

    run(main())


def test_successor_inserts_the_declared_batch_under_its_token() -> None:
    """More records may have come meanwhile: the declared ones alone make up the batch."""

    async def main() -> None:
        scene = Scene()
        tokens: list[tuple[str, int]] = []

        def dies(table: str, rows: Sequence[bytes], token: str) -> None:
            tokens.append((token, len(rows)))
            scene.store.insert(table, rows, token)
            raise RuntimeError("killed after the insert, before the commit")

        for _ in range(5):
            scene.log.append(AUDIT.name, GOOD)
        task = scene.start(dies)
        await asyncio.gather(task, return_exceptions=True)
        for _ in range(3):
            scene.log.append(AUDIT.name, GOOD)
        task = scene.start()
        await asyncio.sleep(5.0)
        scene.stop.set()
        await task
        assert tokens == [(f"{AUDIT.name}-0-0-4", 5)]
        assert len(scene.store.tables[str(AUDIT.table)]) == 8

    run(main())


def test_store_that_is_away_is_waited_for() -> None:
    """Nothing is lost, and what waits in memory is bounded."""

    async def main() -> None:
        scene = Scene()
        scene.store.available = False
        task = scene.start(batch_records=100)
        for _ in range(10_000):
            scene.log.append(AUDIT.name, GOOD)
        await asyncio.sleep(60.0)
        assert scene.store.tables[str(AUDIT.table)] == []
        scene.store.available = True
        await asyncio.sleep(300.0)
        assert len(scene.store.tables[str(AUDIT.table)]) == 10_000
        scene.stop.set()
        await task

    run(main())


def test_draining_does_not_wait_for_the_store() -> None:
    """A sink told to stop while the store is away leaves its batch declared, and ends."""

    async def main() -> None:
        scene = Scene()
        scene.log.append(AUDIT.name, GOOD)

        def away(table: str, rows: Sequence[bytes], token: str) -> None:
            raise StoreUnavailable("away")

        task = scene.start(away)
        await asyncio.sleep(5.0)
        scene.stop.set()
        await task
        assert await scene.position() == (0, f"{DECLARED}0")

    run(main())


def test_records_that_are_no_events_become_dead_letters() -> None:
    """They are set aside in the transaction that commits their batch; the good ones are stored."""

    async def main() -> None:
        scene = Scene()
        for value in (GOOD, b"\xff", GOOD, b"[]", b'{"schema_version":9}'):
            scene.log.append(AUDIT.name, value)
        task = scene.start()
        await asyncio.sleep(5.0)
        scene.stop.set()
        await task
        assert len(scene.store.tables[str(AUDIT.table)]) == 2
        reasons = [orjson.loads(r.value or b"")["reason"] for r in scene.log.read(DEADLETTER.name)]
        assert reasons == ["undecodable", "undecodable", "unknown_version"]

    run(main())


def test_topics_of_other_roles_are_passed_over() -> None:
    """A bad request is the gate's dead letter, not the sink's."""

    async def main() -> None:
        scene = Scene(REQUESTS.name)
        scene.log.append(REQUESTS.name, b"\xff")
        scene.log.append(REQUESTS.name, b'{"request_id":"r","prompt":"p"}')
        task = scene.start()
        await asyncio.sleep(5.0)
        scene.stop.set()
        await task
        assert len(scene.store.tables[str(REQUESTS.table)]) == 1
        assert scene.log.read(DEADLETTER.name) == []

    run(main())


def test_rows_that_the_store_refuses_are_found_and_set_aside() -> None:
    """A refused block is halved until the row is alone; the others are stored once."""

    async def main() -> None:
        scene = Scene()

        def picky(table: str, rows: Sequence[bytes], token: str) -> None:
            if any(b'"number":6' in row for row in rows):
                raise PoisonError("refused")
            scene.store.insert(table, rows, token)

        for number in range(10):
            scene.log.append(AUDIT.name, orjson.dumps({"schema_version": 1, "number": number}))
        task = scene.start(picky)
        await asyncio.sleep(5.0)
        scene.stop.set()
        await task
        stored = [orjson.loads(row)["number"] for row in scene.store.tables[str(AUDIT.table)]]
        assert sorted(stored) == [0, 1, 2, 3, 4, 5, 7, 8, 9]
        (letter,) = [orjson.loads(r.value or b"") for r in scene.log.read(DEADLETTER.name)]
        assert letter["origin"]["offset"] == 6

    run(main())
