"""Turning records into records: slices, records that fail, and a role that stops."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from schemas.errors import LogUnavailable
from streams.log import Output, Partition, Record
from streams.loop import Loop
from streams.memory_log import MemoryLog
from streams.transform import Step, TooManyFailures, Transform
from tests.streams import works
from tests.streams.virtual import Inline, run


class Counted(works.Echo):
    """An echo that notes what it was given, and may be ill for a while."""

    history_ms = 1000

    def __init__(self, ill: int = 0) -> None:
        self.ill = ill
        self.batches: list[int] = []
        self.remembered: list[bytes | None] = []

    def remember(self, records: Sequence[Record]) -> None:
        """Note the history."""
        self.remembered += [record.value for record in records]

    def __call__(self, records: Sequence[Record]) -> list[Output]:
        """Echo, once no longer ill."""
        self.batches.append(len(records))
        if self.ill:
            self.ill -= 1
            raise LogUnavailable("ill")
        return super().__call__(records)


async def _through(step: Step, values: Sequence[bytes], expected: int) -> list[bytes | None]:
    log = MemoryLog({works.INPUT: 1, works.OUTPUT: 1})
    for value in values:
        log.append(works.INPUT, value)
    stop = asyncio.Event()
    loop = Loop(
        log,
        group=works.GROUP,
        member="a",
        topics=[works.INPUT],
        work=Transform(step, Inline()),
    )
    task = asyncio.create_task(loop.run(stop, lambda: None))
    while len(log.read(works.OUTPUT)) < expected and not task.done():
        await asyncio.sleep(0.1)
    stop.set()
    await task
    return [record.value for record in log.read(works.OUTPUT)]


def test_record_that_fails_alone_is_given_up_and_the_rest_goes_on() -> None:
    """One bad record in a batch costs nobody else anything."""
    values = [b"0", b"1", b"fail", b"3"]
    assert run(_through(works.Echo(), values, 4)) == [b"0", b"1", b"ValueError", b"3"]


def test_role_stops_when_most_records_fail() -> None:
    """Eleven failures among the last hundred stop the role with the batch uncommitted."""
    with pytest.raises(TooManyFailures, match="ValueError"):
        run(_through(works.Echo(), [b"fail"] * 11, 11))


def test_ten_failures_do_not_stop_the_role() -> None:
    """Up to the limit, failures are outcomes."""
    assert len(run(_through(works.Echo(), [b"fail"] * 10, 10))) == 10


def test_step_that_is_ill_is_called_again() -> None:
    """A passing illness gives up nothing and repeats nothing."""
    step = Counted(ill=3)
    values = [str(number).encode() for number in range(50)]
    assert run(_through(step, values, 50)) == values


def test_history_is_shown_before_the_first_record() -> None:
    """What lies before the committed position is remembered when a partition opens."""

    async def main() -> Counted:
        log = MemoryLog({works.INPUT: 1, works.OUTPUT: 1})
        for number in range(4):
            log.append(works.INPUT, str(number).encode())
        step = Counted()
        for _ in range(2):
            stop = asyncio.Event()
            loop = Loop(
                log,
                group=works.GROUP,
                member="a",
                topics=[works.INPUT],
                work=Transform(step, Inline()),
            )
            task = asyncio.create_task(loop.run(stop, lambda: None))
            await asyncio.sleep(1.0)
            stop.set()
            await task
        return step

    step = run(main())
    assert step.remembered == [b"0", b"1", b"2", b"3"]
    assert step.batches == [4]


def test_held_partition_waits() -> None:
    """While there is no room for what would come of it, nothing is taken; then all is."""

    async def main() -> tuple[int, int]:
        log = MemoryLog({works.INPUT: 1, works.OUTPUT: 1})
        log.append(works.INPUT, b"0")
        short = True

        def held(partition: Partition) -> bool:
            return short

        stop = asyncio.Event()
        work = Transform(works.Echo(), Inline(), held)
        loop = Loop(log, group=works.GROUP, member="a", topics=[works.INPUT], work=work)
        task = asyncio.create_task(loop.run(stop, lambda: None))
        await asyncio.sleep(10.0)
        before = len(log.read(works.OUTPUT))
        short = False
        await asyncio.sleep(5.0)
        stop.set()
        await task
        return before, len(log.read(works.OUTPUT))

    assert run(main()) == (0, 1)
