"""Answering records in their own time: order, positions and draining."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import EngineUnavailable
from streams.bitmap import SPAN_MAX, pack, unpack
from streams.generate import Generate
from streams.log import METADATA_MAX_BYTES, Output, Partition, Record
from streams.loop import Loop
from streams.memory_log import MemoryLog
from tests.streams import works
from tests.streams.virtual import run

PARTITION = Partition(works.INPUT, 0)


@given(st.integers(0, 1 << 40), st.sets(st.integers(0, SPAN_MAX - 1), max_size=50))
def test_bitmap_comes_back(base: int, after: set[int]) -> None:
    """What is packed is unpacked, and fits the metadata however far it reaches."""
    finished = {base + offset for offset in after}
    packed = pack(base, finished)
    assert unpack(base, packed) == finished
    assert len(packed) <= METADATA_MAX_BYTES


class Desk:
    """Answers that end when the test says so."""

    def __init__(self) -> None:
        self.begun: list[int] = []
        self.aborted: list[int] = []
        self.ends: dict[int, asyncio.Event] = {}

    async def answer(self, record: Record) -> list[Output]:
        """Wait to be told, then echo."""
        self.begun.append(record.offset)
        event = self.ends.setdefault(record.offset, asyncio.Event())
        try:
            await event.wait()
        except asyncio.CancelledError:
            self.aborted.append(record.offset)
            raise
        return works.Echo()([record])

    def end(self, *offsets: int) -> None:
        """Let these answers be ready."""
        for offset in offsets:
            self.ends.setdefault(offset, asyncio.Event()).set()


class Setting:
    """A log with records on one partition, and a worker on it."""

    def __init__(self, keys: list[bytes | None], most: int = 8, drain_s: float = 25.0) -> None:
        self.log = MemoryLog({works.INPUT: 1, works.OUTPUT: 1})
        for number, key in enumerate(keys):
            self.log.append(works.INPUT, str(number).encode(), key=key)
        self.most = most
        self.drain_s = drain_s
        self.desk = Desk()
        self.stop = asyncio.Event()

    def start(self) -> asyncio.Task[None]:
        """Start a process."""
        self.desk, self.stop = Desk(), asyncio.Event()
        work = Generate(self.desk.answer, works.Echo().give_up, most=self.most)
        loop = Loop(
            self.log,
            group=works.GROUP,
            member="a",
            topics=[works.INPUT],
            work=work,
            drain_s=self.drain_s,
        )
        return asyncio.create_task(loop.run(self.stop, lambda: None))

    async def answered(self) -> list[int]:
        """Return, a little later, what has been written."""
        await asyncio.sleep(1.0)
        return [int(record.value or b"") for record in self.log.read(works.OUTPUT)]


def test_finished_answers_do_not_wait_for_older_ones() -> None:
    """The position stays with the oldest record; a bitmap says which later ones are finished."""

    async def main() -> None:
        setting = Setting([None] * 5)
        task = setting.start()
        await asyncio.sleep(1.0)
        setting.desk.end(2, 4)
        assert await setting.answered() == [2, 4]
        position = await setting.log.committed(works.GROUP, PARTITION)
        assert position.offset == 0
        assert unpack(0, position.metadata) == {2, 4}
        setting.desk.end(0, 1)
        assert await setting.answered() == [2, 4, 0, 1]
        position = await setting.log.committed(works.GROUP, PARTITION)
        assert (position.offset, unpack(3, position.metadata)) == (3, {4})
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    run(main())


def test_killed_worker_answers_nothing_finished_twice() -> None:
    """The successor begins the unfinished ones only."""

    async def main() -> None:
        setting = Setting([None] * 5)
        task = setting.start()
        await asyncio.sleep(1.0)
        setting.desk.end(1, 3)
        await setting.answered()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert sorted(setting.desk.aborted) == [0, 2, 4]
        task = setting.start()
        await asyncio.sleep(1.0)
        assert sorted(setting.desk.begun) == [0, 2, 4]
        setting.desk.end(0, 2, 4)
        assert sorted(await setting.answered()) == [0, 1, 2, 3, 4]
        setting.stop.set()
        await task

    run(main())


def test_records_of_one_key_are_answered_in_order() -> None:
    """A conversation's second question waits for the first answer; others do not."""

    async def main() -> None:
        setting = Setting([b"c", b"c", b"d", b"c"])
        task = setting.start()
        await asyncio.sleep(1.0)
        assert setting.desk.begun == [0, 2]
        setting.desk.end(0)
        await asyncio.sleep(1.0)
        assert setting.desk.begun == [0, 2, 1]
        setting.desk.end(1, 2, 3)
        assert await setting.answered() == [0, 1, 2, 3]
        setting.stop.set()
        await task

    run(main())


def test_no_more_than_most_are_under_way() -> None:
    """The engine is not given more than it may have in flight."""

    async def main() -> None:
        setting = Setting([None] * 10, most=3)
        task = setting.start()
        await asyncio.sleep(1.0)
        assert setting.desk.begun == [0, 1, 2]
        setting.desk.end(*range(10))
        assert sorted(await setting.answered()) == list(range(10))
        setting.stop.set()
        await task

    run(main())


def test_draining_ends_what_was_begun_and_begins_nothing() -> None:
    """A worker told to stop commits its answers under way and leaves the rest."""

    async def main() -> None:
        setting = Setting([None] * 6, most=2)
        task = setting.start()
        await asyncio.sleep(1.0)
        setting.stop.set()
        await asyncio.sleep(1.0)
        setting.desk.end(0, 1)
        await task
        assert setting.desk.begun == [0, 1]
        position = await setting.log.committed(works.GROUP, PARTITION)
        assert position.offset == 2

    run(main())


def test_draining_does_not_wait_for_ever() -> None:
    """An answer that does not end in time is aborted and left uncommitted."""

    async def main() -> None:
        setting = Setting([None, None], drain_s=5.0)
        task = setting.start()
        await asyncio.sleep(1.0)
        setting.stop.set()
        setting.desk.end(1)
        await task
        assert setting.desk.aborted == [0]
        position = await setting.log.committed(works.GROUP, PARTITION)
        assert (position.offset, unpack(0, position.metadata)) == (0, {1})

    run(main())


def test_dead_engine_ends_the_process_uncommitted() -> None:
    """Only a new process cures a dead engine, so the error comes out of the loop."""

    async def main() -> None:
        setting = Setting([None] * 3)

        async def dies(record: Record) -> list[Output]:
            raise EngineUnavailable("dead")

        work = Generate(dies, works.Echo().give_up, most=2)
        loop = Loop(setting.log, group=works.GROUP, member="a", topics=[works.INPUT], work=work)
        with pytest.raises(EngineUnavailable):
            await loop.run(asyncio.Event(), lambda: None)
        assert (await setting.log.committed(works.GROUP, PARTITION)).offset == 0

    run(main())
