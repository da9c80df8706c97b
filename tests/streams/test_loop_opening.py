"""The order in which a lane opens, where it matters most."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence

from schemas.errors import LogUnavailable
from streams.log import Membership, Output, Owned, Partition, Position, Record, Writer
from streams.loop import Loop
from streams.memory_log import MemoryLog
from tests.streams import works
from tests.streams.virtual import Inline, run


class LateCommits(MemoryLog):
    """A log in which an old owner's commit arrives just before its successor's writer opens."""

    def __init__(self) -> None:
        super().__init__({works.INPUT: 1, works.OUTPUT: 1})
        self.held = asyncio.Event()
        self.freed = asyncio.Event()
        self.committed_late = 0
        self._opened = 0

    async def open_writer(self, group: str, partition: Partition) -> Writer:
        """Let the first owner's held commit through, then shut the first owner out."""
        self._opened += 1
        if self._opened == 2:
            self.freed.set()
            while not self.committed_late:
                await asyncio.sleep(0)
        writer = await super().open_writer(group, partition)
        return _Held(self, writer) if self._opened == 1 else writer


class _Held:
    def __init__(self, log: LateCommits, writer: Writer) -> None:
        self._log = log
        self._writer = writer

    async def write(self, outputs: Sequence[Output], position: Position) -> None:
        """Commit once the successor is about to open."""
        self._log.held.set()
        await self._log.freed.wait()
        await self._writer.write(outputs, position)
        self._log.committed_late += 1

    async def close(self) -> None:
        """Nothing to give back."""


def _member(log: MemoryLog, name: str) -> tuple[asyncio.Event, asyncio.Task[None]]:
    stop = asyncio.Event()
    loop = Loop(
        log,
        group=works.GROUP,
        member=name,
        topics=[works.INPUT],
        work=works.transform(Inline()),
    )
    return stop, asyncio.create_task(loop.run(stop, lambda: None))


async def _late_commit() -> LateCommits:
    log = LateCommits()
    for number in range(10):
        log.append(works.INPUT, str(number).encode())
    stop_old, old = _member(log, "old")
    await log.held.wait()
    await log.expel(works.GROUP, "old")
    stop_new, new = _member(log, "new")
    while len(log.read(works.OUTPUT)) < 10:
        await asyncio.sleep(0.1)
    await asyncio.sleep(5.0)
    stop_old.set()
    stop_new.set()
    await asyncio.gather(old, new)
    return log


def test_late_commit_of_the_old_owner_is_not_repeated() -> None:
    """A commit that arrives while the successor opens is seen by it: ten in, ten out."""
    log = run(_late_commit())
    assert log.committed_late == 1
    assert Counter(r.value for r in log.read(works.OUTPUT)) == Counter(
        str(number).encode() for number in range(10)
    )


async def _bounded() -> int:
    log = MemoryLog({works.INPUT: 1, works.OUTPUT: 1})
    for _ in range(20_000):
        log.append(works.INPUT, b"x" * 100)
    gate = asyncio.Event()
    most = 0

    async def work(lane: object) -> None:
        await gate.wait()

    loop = Loop(log, group=works.GROUP, member="a", topics=[works.INPUT], work=work)
    stop = asyncio.Event()
    task = asyncio.create_task(loop.run(stop, lambda: None))
    await asyncio.sleep(30.0)
    most = max(lane.waiting for lane in loop._lanes.values())
    gate.set()
    stop.set()
    await task
    return most


def test_full_lane_pauses_its_partition() -> None:
    """However much lies in the log, a lane that is not emptied holds a bounded number."""
    assert 4000 <= run(_bounded()) <= 6000


class _Repeating(MemoryLog):
    """A log whose members are given the first record again with each fetch."""

    async def join(
        self, group: str, member: str, topics: Sequence[str], owned: Owned
    ) -> Membership:
        membership = await super().join(group, member, topics, owned)
        polled = membership.poll

        async def poll(wait_s: float, most: int) -> list[Record]:
            return self.read(works.INPUT)[:1] + await polled(wait_s, most)

        membership.poll = poll  # type: ignore[method-assign]
        return membership


async def _repeated() -> list[bytes | None]:
    log = _Repeating({works.INPUT: 1, works.OUTPUT: 1})
    for number in range(3):
        log.append(works.INPUT, str(number).encode())
    stop, task = _member(log, "a")
    await asyncio.sleep(5.0)
    stop.set()
    await task
    return [record.value for record in log.read(works.OUTPUT)]


def test_record_delivered_again_is_dropped() -> None:
    """What a lane had before, it does not take twice."""
    assert run(_repeated()) == [b"0", b"1", b"2"]


class _Forgetful(MemoryLog):
    """A log that goes away once, and does not know when it is back what it had committed."""

    def __init__(self) -> None:
        super().__init__({works.INPUT: 1, works.OUTPUT: 1})
        self.away = False
        self._forgot = False

    async def open_writer(self, group: str, partition: Partition) -> Writer:
        """Return a writer that fails while the log is away."""
        return _Failing(self, await super().open_writer(group, partition))

    async def committed(self, group: str, partition: Partition) -> Position:
        """Return the beginning, once it has forgotten."""
        return Position(0) if self._forgot else await super().committed(group, partition)

    def forget(self) -> None:
        """Come back without a memory."""
        self.away, self._forgot = False, True


class _Failing:
    def __init__(self, log: _Forgetful, writer: Writer) -> None:
        self._log = log
        self._writer = writer

    async def write(self, outputs: Sequence[Output], position: Position) -> None:
        if self._log.away:
            self._log.forget()
            raise LogUnavailable("away")
        await self._writer.write(outputs, position)

    async def close(self) -> None:
        await self._writer.close()


async def _forgotten() -> list[bytes | None]:
    log = _Forgetful()
    stop, task = _member(log, "a")
    for turn in range(2):
        log.away = turn == 1
        for number in range(5):
            log.append(works.INPUT, b"%d-%d" % (turn, number))
        while len(log.read(works.OUTPUT)) < 5 * (turn + 1):
            await asyncio.sleep(0.1)
    await asyncio.sleep(5.0)
    stop.set()
    await task
    return [record.value for record in log.read(works.OUTPUT)]


def test_what_a_member_has_committed_is_not_done_again() -> None:
    """A cluster that comes back without its memory is not believed: ten in, ten out."""
    assert run(_forgotten()) == [b"%d-%d" % (turn, n) for turn in range(2) for n in range(5)]
