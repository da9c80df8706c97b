"""Answer records in their own time, out of order: the loop's work for model workers.

No transaction is open while an answer is made. When answers are ready, all that finished since the
last time are written with the position in one transaction. The committed offset is that of the
oldest unfinished record, and the metadata beside it has a bit for each later one that is finished:
after a kill, no finished record is answered twice, and none is lost. Records of one key are
answered in order.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from schemas.errors import LogUnavailable, TransientError
from streams.bitmap import SPAN_MAX, pack, unpack
from streams.log import Output, Position, Record
from streams.loop import FIRST_PAUSE_S, LONGEST_PAUSE_S, Lane
from streams.transform import LAST_RECORDS, MOST_FAILURES, TooManyFailures

logger = logging.getLogger(__name__)

WAIT_S = 1.0
Answer = Callable[[Record], Awaitable[list[Output]]]
GiveUp = Callable[[Record, Exception], list[Output]]


@dataclass
class _Flights:
    """The delivered records of one lane: where each stands.

    Attributes:
        base: The offset from which on records are of interest.
        following: The offset after the last delivered one.
        unfinished: Offsets delivered and not committed as finished, in order.
        ready: Answers made and not yet committed.
        finished: Offsets at or after ``base`` that are committed as finished.
    """

    base: int
    following: int
    unfinished: dict[int, None] = field(default_factory=dict)
    ready: dict[int, list[Output]] = field(default_factory=dict)
    finished: set[int] = field(default_factory=set)

    @classmethod
    def at(cls, position: Position) -> _Flights:
        """Return the state that ``position`` stands for."""
        base = position.offset
        return cls(base, base, finished=unpack(base, position.metadata))

    def admit(self, offset: int) -> bool:
        """Take in a delivered record; False if it is finished or under way already."""
        self.following = max(self.following, offset + 1)
        if offset in self.finished or offset in self.unfinished or offset < self.base:
            return False
        self.unfinished[offset] = None
        return True

    def settled(self, done: set[int]) -> tuple[Position, set[int]]:
        """Return the position, and its finished offsets, once ``done`` are committed."""
        base = min((o for o in self.unfinished if o not in done), default=self.following)
        finished = {offset for offset in self.finished | done if offset >= base}
        return Position(base, pack(base, finished)), finished

    def commit(self, done: set[int], position: Position, finished: set[int]) -> None:
        """Note that ``position`` is committed."""
        for offset in done:
            self.unfinished.pop(offset, None)
            self.ready.pop(offset, None)
        self.base, self.finished = position.offset, finished

    def reconcile(self, position: Position) -> None:
        """Take over what turned out to be committed; what is under way goes on."""
        finished = unpack(position.offset, position.metadata)
        for offset in list(self.unfinished):
            if offset < position.offset or offset in finished:
                self.unfinished.pop(offset)
                self.ready.pop(offset, None)
        self.base, self.finished = position.offset, finished
        self.following = max(self.following, position.offset)


class Generate:
    """The work of a role that answers; see the module for what it promises.

    Args:
        answer: Makes the outputs of one record; cancelled when the partition is lost.
        give_up: Makes what stands in their place when ``answer`` raises.
        most: Records answered at the same time, over all partitions.
    """

    def __init__(self, answer: Answer, give_up: GiveUp, *, most: int) -> None:
        self.most = most
        self.slots = asyncio.Semaphore(most)
        self._answer = answer
        self._give_up = give_up
        self._failed: deque[bool] = deque(maxlen=LAST_RECORDS)

    async def __call__(self, lane: Lane) -> None:
        """Answer what arrives on ``lane`` until it drains and what was begun has ended."""
        shift = _Shift(self, lane)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(shift.take(tasks))
                tasks.create_task(shift.commit())
        except BaseExceptionGroup as group:
            raise _gravest(group) from group

    async def outputs_of(self, record: Record) -> list[Output]:
        """Return what comes of ``record``, its being given up included.

        Raises:
            TransientError: What it needs is ill.
            TooManyFailures: If so many records fail that the fault is not theirs.
        """
        try:
            outputs = await self._answer(record)
        except TransientError:
            raise
        except Exception as error:
            return self._given_up(record, error)
        self._failed.append(False)
        return outputs

    def _given_up(self, record: Record, error: Exception) -> list[Output]:
        topic, number = record.partition
        logger.error("gives up %s/%d/%d: %s", topic, number, record.offset, type(error).__name__)
        self._failed.append(True)
        if sum(self._failed) > MOST_FAILURES:
            raise TooManyFailures(
                f"{sum(self._failed)} of the last {len(self._failed)} records failed,"
                f" the last with {type(error).__name__}",
                topic=topic,
                partition=number,
                offset=record.offset,
            ) from error
        return self._give_up(record, error)


class _Shift:
    """One lane from an opening on: records are taken, answered side by side, and committed."""

    def __init__(self, generate: Generate, lane: Lane) -> None:
        self._generate = generate
        self._lane = lane
        self._flights = _Flights.at(lane.position)
        self._begun = 0
        self._last_of_key: dict[bytes, asyncio.Task[None]] = {}
        self._stirred = asyncio.Event()
        self._room = asyncio.Event()

    async def take(self, tasks: asyncio.TaskGroup) -> None:
        """Start an answer for each record that arrives, as long as there is room."""
        flights, lane = self._flights, self._lane
        while not lane.draining:
            reach = SPAN_MAX - 1 - (flights.following - flights.base)
            room = min(self._generate.most - len(flights.unfinished), reach)
            if room <= 0:
                self._room.clear()
                await self._room.wait()
                continue
            for record in await lane.take(room, WAIT_S):
                if flights.admit(record.offset):
                    self._start(record, tasks)
        self._stirred.set()

    def _start(self, record: Record, tasks: asyncio.TaskGroup) -> None:
        key = record.key or b""
        task = tasks.create_task(self._fly(record, self._last_of_key.get(key)))
        if key:
            self._last_of_key[key] = task

    async def _fly(self, record: Record, before: asyncio.Task[None] | None) -> None:
        try:
            if before is not None:
                await asyncio.wait({before})
            async with self._generate.slots:
                await self._answer(record)
        finally:
            if self._last_of_key.get(record.key or b"") is asyncio.current_task():
                del self._last_of_key[record.key or b""]
            self._stirred.set()

    async def _answer(self, record: Record) -> None:
        if self._lane.draining or record.offset not in self._flights.unfinished:
            return
        self._begun += 1
        try:
            outputs = await self._generate.outputs_of(record)
        finally:
            self._begun -= 1
        if record.offset in self._flights.unfinished:
            self._flights.ready[record.offset] = outputs

    async def commit(self) -> None:
        """Commit what is ready, whenever something is, until the lane has drained."""
        while not (self._lane.draining and not self._begun and not self._flights.ready):
            await self._stirred.wait()
            self._stirred.clear()
            if self._flights.ready:
                await self._commit_ready()
                self._room.set()
        self._room.set()

    async def _commit_ready(self) -> None:
        flights = self._flights
        pause_s = FIRST_PAUSE_S
        while done := set(flights.ready):
            outputs = [output for offset in sorted(done) for output in flights.ready[offset]]
            position, finished = flights.settled(done)
            try:
                await self._lane.commit(outputs, position)
            except LogUnavailable as error:
                logger.warning("%s/%d opens anew: %s", *self._lane.partition, error)
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
                await self._reopen()
                continue
            flights.commit(done, position, finished)
            return

    async def _reopen(self) -> None:
        """Open the lane anew; answers under way go on, and those already committed are dropped."""
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                self._flights.reconcile(await self._lane.reopen())
            except LogUnavailable as error:
                logger.warning("%s/%d cannot open yet: %s", *self._lane.partition, error)
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
            else:
                return


def _gravest(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the error that decides what happens: one that is not passing, if there is any."""
    errors = group.exceptions
    return next((error for error in errors if not isinstance(error, TransientError)), errors[0])
