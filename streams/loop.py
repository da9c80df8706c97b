"""The loop: what has an effect that must happen exactly once runs on it.

A role joins a group, and for every partition it owns one *lane* runs the role's work. What the loop
guarantees, whoever dies and whenever:

* An offset always means the next record. Outputs and the position of what they were made from are
  written in one transaction: both are there, or neither.
* A lane opens in this order only: pause the partition, open its writer (which shuts out the
  partition's earlier owner and ends its transaction), read the committed position, seek, resume.
  Read before the writer is open, a position may be overtaken by a late commit of the old owner.
* A member that has committed a position never begins before it, whatever the log says of it later.
* Records reach a lane in order, each at most once between two openings.
* A writer that was shut out, an outcome that is unknown and a broker that is away all lead to the
  same place: the lane opens anew, after a pause that grows.
* A rebalance does not disturb a lane whose partition comes back: until another member opens that
  partition, its writer is good, and from then on nothing it writes counts.
* What waits in a lane is bounded; a full lane pauses its partition.
* When told to stop, lanes end what they have begun, for ``drain_s`` at most. What is left is not
  committed, so the next owner does it.

What is *done* to records is :mod:`streams.transform`, :mod:`streams.generate` and
:mod:`streams.store_sink`.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from schemas.errors import LogUnavailable, StoreUnavailable
from streams.log import Log, Membership, Output, Partition, Position, Record, Writer

logger = logging.getLogger(__name__)

POLL_S = 0.25
POLL_RECORDS = 2000
LANE_RECORDS = 4000
LANE_BYTES = 16 << 20
FIRST_PAUSE_S = 0.25
LONGEST_PAUSE_S = 5.0


class Lane:
    """One partition, open to its owner; made by the loop, used by the role's work.

    Attributes:
        partition: Which one.
        position: What is committed, as of the last opening or commit.
    """

    def __init__(self, loop: Loop, partition: Partition) -> None:
        self.partition = partition
        self.position = Position(0)
        self._loop = loop
        self._writer: Writer | None = None
        self._inbox: deque[Record] = deque()
        self._inbox_bytes = 0
        self._next: int | None = None
        self._stirred = asyncio.Event()
        self._draining = False
        self.is_open = False

    @property
    def log(self) -> Log:
        """The log this lane is part of."""
        return self._loop.log

    @property
    def group(self) -> str:
        """The group whose positions are committed."""
        return self._loop.group

    @property
    def draining(self) -> bool:
        """Whether to end what was begun and begin nothing new."""
        return self._draining

    @property
    def waiting(self) -> int:
        """How many records have arrived and were not taken."""
        return len(self._inbox)

    async def take(self, most: int, wait_s: float) -> list[Record]:
        """Return up to ``most`` records, waiting up to ``wait_s`` for the first.

        Returns nothing once the lane is draining.
        """
        if not self._inbox and not self._draining:
            self._stirred.clear()
            try:
                async with asyncio.timeout(wait_s):
                    await self._stirred.wait()
            except TimeoutError:
                return []
        if self._draining:
            return []
        taken = [self._inbox.popleft() for _ in range(min(most, len(self._inbox)))]
        self._inbox_bytes -= sum(_weight(record) for record in taken)
        if self._inbox_bytes < LANE_BYTES // 2 and len(self._inbox) < LANE_RECORDS // 2:
            self._loop.resume(self.partition)
        return taken

    async def commit(self, outputs: Sequence[Output], position: Position) -> None:
        """Write ``outputs`` and commit ``position``, both or neither.

        Raises:
            Fenced: If another member owns the partition now.
            LogUnavailable: If the outcome is unknown. After either, only :meth:`reopen` helps.
        """
        assert self._writer is not None
        await self._writer.write(outputs, position)
        self.position = self._loop.reached[self.partition] = position
        self._loop.pauses.pop(self.partition, None)

    async def reopen(self) -> Position:
        """Open the partition, in the order that the loop guarantees, and return its position.

        Raises:
            LogUnavailable: If the log does not answer.
        """
        self.is_open = False
        self._next = None
        self._inbox.clear()
        self._inbox_bytes = 0
        self._loop.pause(self.partition)
        await self.shut()
        self._writer = await self._loop.log.open_writer(self._loop.group, self.partition)
        said = await self._loop.log.committed(self._loop.group, self.partition)
        self.position = self._loop.later(self.partition, said)
        self._next = self.position.offset
        self.is_open = True
        logger.info("%s/%d opens at %d", *self.partition, self._next)
        self.carry_on()
        return self.position

    async def shut(self) -> None:
        """Give the writer back."""
        if self._writer is not None:
            await self._writer.close()
            self._writer = None

    def carry_on(self) -> None:
        """Read on from where the lane stands, as after a rebalance."""
        if self._next is not None:
            self._loop.seek(self.partition, self._next)
            if not self._is_full():
                self._loop.resume(self.partition)

    def deliver(self, record: Record) -> None:
        """Put ``record`` into the lane; what it had before, or has no position for, is dropped."""
        if self._next is None or record.offset < self._next:
            return
        self._inbox.append(record)
        self._inbox_bytes += _weight(record)
        self._next = record.offset + 1
        self._stirred.set()
        if self._is_full():
            self._loop.pause(self.partition)

    def drain(self) -> None:
        """Let the work end."""
        self._draining = True
        self._stirred.set()

    def _is_full(self) -> bool:
        return self._inbox_bytes >= LANE_BYTES or len(self._inbox) >= LANE_RECORDS


Work = Callable[[Lane], Awaitable[None]]
"""Runs on an open lane until it drains; what it raises opens the lane anew, or ends the role."""


class Loop:
    """A member of a group that runs ``work`` on every partition it owns.

    Args:
        log: Where the topics are.
        group: The group.
        member: This member's name, the same after a restart.
        topics: What to read.
        work: What to do with each partition; called again after each opening.
        drain_s: How long lanes may take to end what they have begun.
    """

    def __init__(
        self,
        log: Log,
        *,
        group: str,
        member: str,
        topics: Sequence[str],
        work: Work,
        drain_s: float = 25.0,
    ) -> None:
        self.log = log
        self.group = group
        self.pauses: dict[Partition, float] = {}
        self.reached: dict[Partition, Position] = {}
        self._member = member
        self._topics = tuple(topics)
        self._work = work
        self._drain_s = drain_s
        self._membership: Membership | None = None
        self._lanes: dict[Partition, Lane] = {}
        self._keepers: dict[Partition, asyncio.Task[None]] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._assigned_once = False
        self._ended = False

    async def run(self, stop: asyncio.Event, ready: Callable[[], None]) -> None:
        """Work until ``stop`` is set; call ``ready`` once the first partitions are open.

        Raises:
            ConfigError: If a topic is missing or the log refuses us.
            Exception: What the work raised, unless log or store were away; nothing of the batch it
                concerns is committed. An engine that died is such: only a new process cures it.
        """
        announce: Callable[[], None] | None = ready
        pause_s = FIRST_PAUSE_S
        try:
            while not stop.is_set():
                try:
                    if self._membership is None:
                        self._membership = await self.log.join(
                            self.group, self._member, self._topics, self._owned
                        )
                    await self._poll()
                    pause_s = FIRST_PAUSE_S
                except LogUnavailable as error:
                    logger.warning("reading is interrupted: %s", error)
                    await self._leave()
                    await _sleep_or(stop, _jitter(pause_s))
                    pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
                if (
                    announce
                    and self._assigned_once
                    and all(x.is_open for x in self._lanes.values())
                ):
                    announce()
                    announce = None
            await self._drain()
        finally:
            self._ended = True
            for task in (*self._keepers.values(), *self._ending):
                task.cancel()
            await asyncio.gather(*self._keepers.values(), *self._ending, return_exceptions=True)
            await self._leave()
            await self.log.close()

    def pause(self, partition: Partition) -> None:
        """Stop reading ``partition``, where it is read at all."""
        if self._membership is not None:
            self._membership.pause(partition)

    def resume(self, partition: Partition) -> None:
        """Read ``partition`` on, where it is owned."""
        if self._membership is not None:
            self._membership.resume(partition)

    def seek(self, partition: Partition, offset: int) -> None:
        """Read ``partition`` from ``offset`` on, where it is owned."""
        if self._membership is not None:
            self._membership.seek(partition, offset)

    def later(self, partition: Partition, said: Position) -> Position:
        """Return where ``partition`` stands, given what the log says; positions never go back.

        A cluster that has just come back may not know, for a while, what it had acknowledged.
        """
        known = self.reached.get(partition)
        if known is None or known.offset <= said.offset:
            return said
        logger.error(
            "%s/%d was committed at %d, and now the log says %d",
            *partition,
            known.offset,
            said.offset,
        )
        return known

    async def _poll(self) -> None:
        assert self._membership is not None
        # Nothing may be awaited between the poll and the deliveries: a lane that sought elsewhere
        # in between would take records from beyond its position.
        for record in await self._membership.poll(POLL_S, POLL_RECORDS):
            lane = self._lanes.get(record.partition)
            if lane is not None:
                lane.deliver(record)
        for keeper in self._keepers.values():
            if keeper.done():
                keeper.result()

    async def _owned(self, membership: Membership, partitions: frozenset[Partition]) -> None:
        if self._ended:
            return
        self._membership = membership  # the first call comes before join returns
        for partition in sorted(self._lanes.keys() - partitions):
            del self._lanes[partition]
            keeper = self._keepers.pop(partition)
            keeper.cancel()
            self._ending.add(keeper)
            keeper.add_done_callback(self._ending.discard)
        for partition in sorted(partitions):
            lane = self._lanes.get(partition)
            if lane is not None:
                lane.carry_on()
                continue
            lane = self._lanes[partition] = Lane(self, partition)
            self._keepers[partition] = asyncio.create_task(
                self._keep(lane), name=f"{partition.topic}/{partition.number}"
            )
        self._assigned_once = True
        logger.info("owns %d partitions", len(partitions))

    async def _keep(self, lane: Lane) -> None:
        try:
            while True:
                try:
                    await lane.reopen()
                    await self._work(lane)
                    return
                except (LogUnavailable, StoreUnavailable) as error:
                    pause_s = self.pauses.get(lane.partition, FIRST_PAUSE_S)
                    self.pauses[lane.partition] = min(pause_s * 2, LONGEST_PAUSE_S)
                    logger.warning(
                        "%s/%d opens anew in %.1f s: %s", *lane.partition, pause_s, error
                    )
                    lane.is_open = False
                    if lane.draining:
                        return
                    await asyncio.sleep(_jitter(pause_s))
        finally:
            await lane.shut()

    async def _drain(self) -> None:
        for lane in self._lanes.values():
            lane.drain()
        if self._keepers:
            done, late = await asyncio.wait(self._keepers.values(), timeout=self._drain_s)
            for keeper in done:
                if not keeper.cancelled():  # its partition was lost meanwhile
                    keeper.result()
            if late:
                logger.warning("%d partitions did not end in time; left uncommitted", len(late))

    async def _leave(self) -> None:
        if self._membership is not None:
            membership, self._membership = self._membership, None
            await membership.leave()


def _weight(record: Record) -> int:
    return len(record.value or b"") + len(record.key or b"") + 64


def _jitter(pause_s: float) -> float:
    return pause_s * random.uniform(0.75, 1.25)


async def _sleep_or(stop: asyncio.Event, pause_s: float) -> None:
    try:
        async with asyncio.timeout(pause_s):
            await stop.wait()
    except TimeoutError:
        pass
