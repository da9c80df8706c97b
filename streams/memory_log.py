"""A log in memory that keeps the promises of :mod:`streams.log`, and can be told to fail.

For tests, and for a look at the loop without a broker. One process, nothing on disk.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections import deque
from collections.abc import AsyncIterator, Sequence
from operator import attrgetter

from schemas.errors import ConfigError, Fenced, LogUnavailable
from streams.log import Membership, Output, Owned, Partition, Position, Record, Writer, spread

POLLS_UNAWARE = 20
"""How often a member polls before it learns that its session has ended."""


class MemoryLog:
    """A cluster whose topics live in this object.

    Args:
        topics: Partitions by topic.

    Attributes:
        now_ms: The broker's clock, in milliseconds; the owner of the log moves it.
        faults: What befalls the next writes, first come first served: ``lost`` fails before the
            commit, ``unknown`` commits and then fails, ``ok`` does neither.
    """

    def __init__(self, topics: dict[str, int]) -> None:
        self.now_ms = 0
        self.faults: deque[str] = deque()
        self._records: dict[Partition, list[Record]] = {
            Partition(topic, number): []
            for topic, count in topics.items()
            for number in range(count)
        }
        self._counts = dict(topics)
        self._committed: dict[tuple[str, Partition], Position] = {}
        self._epochs: dict[tuple[str, Partition], int] = {}
        self._members: dict[str, dict[str, _MemoryMembership]] = {}
        self._ends: dict[Partition, int] = {}

    def append(self, topic: str, value: bytes | None, *, key: bytes | None = None) -> Record:
        """Write one record outside any transaction, as an application would."""
        return self._append(Output(topic, key, value))

    def read(self, topic: str) -> list[Record]:
        """Return all records of ``topic``, partition by partition."""
        return [
            record
            for number in range(self._counts[topic])
            for record in self._records[Partition(topic, number)]
        ]

    def _append(self, output: Output) -> Record:
        partition = Partition(output.topic, spread(output, self._counts[output.topic]))
        offset = self._ends.get(partition, 0)
        record = Record(partition, offset, self.now_ms, output.key, output.value)
        self._records[partition].append(record)
        self._ends[partition] = offset + 1
        return record

    async def join(
        self, group: str, member: str, topics: Sequence[str], owned: Owned
    ) -> Membership:
        """Join; a member of the same name is replaced, and everybody is told what they own."""
        for topic in topics:
            await self.partitions(topic)
        membership = _MemoryMembership(self, group, member, tuple(topics), owned)
        self._members.setdefault(group, {})[member] = membership
        await self._rebalance(group)
        return membership

    async def expel(self, group: str, member: str) -> None:
        """End a session from the broker's side: the member goes on, and learns of it late."""
        membership = self._members.get(group, {}).pop(member, None)
        if membership is None:
            return
        membership.polls_left = POLLS_UNAWARE
        await self._rebalance(group)

    async def _rebalance(self, group: str) -> None:
        members = [self._members[group][name] for name in sorted(self._members[group])]
        if not members:
            return
        partitions = [p for p in sorted(self._records) if p.topic in members[0].topics]
        for index, membership in enumerate(members):
            mine = frozenset(partitions[index :: len(members)])
            membership.assign(mine)
            await membership.owned(membership, mine)

    async def open_writer(self, group: str, partition: Partition) -> Writer:
        """Raise the partition's epoch, which fences every earlier writer."""
        key = (group, partition)
        self._epochs[key] = self._epochs.get(key, 0) + 1
        return _MemoryWriter(self, key, self._epochs[key])

    async def committed(self, group: str, partition: Partition) -> Position:
        """Return what was committed, or the start."""
        return self._committed.get((group, partition), Position(0))

    async def history(
        self, partition: Partition, before: int, window_ms: int
    ) -> AsyncIterator[list[Record]]:
        """Yield the stretch as one batch."""
        records = self._records[partition]
        at_ms = next((r.timestamp_ms for r in records if r.offset >= before), self.now_ms)
        yield [r for r in records if r.offset < before and r.timestamp_ms >= at_ms - window_ms]

    async def partitions(self, topic: str) -> int:
        """Return the count the log was made with."""
        if topic not in self._counts:
            raise ConfigError(f"the log has no topic {topic!r}", key="topics")
        return self._counts[topic]

    async def close(self) -> None:
        """Nothing to give back."""

    def _commit(
        self, key: tuple[str, Partition], outputs: Sequence[Output], position: Position
    ) -> None:
        for partition in {self._append(output).partition for output in outputs}:
            self._ends[partition] += 1  # like a transaction's marker, an offset never delivered
        self._committed[key] = position


class _MemoryWriter:
    def __init__(self, log: MemoryLog, key: tuple[str, Partition], epoch: int) -> None:
        self._log = log
        self._key = key
        self._epoch = epoch

    async def write(self, outputs: Sequence[Output], position: Position) -> None:
        await asyncio.sleep(0)
        if self._log._epochs[self._key] != self._epoch:
            raise Fenced(f"a later writer owns {self._key}")
        fault = self._log.faults.popleft() if self._log.faults else "ok"
        if fault == "lost":
            raise LogUnavailable("the write was lost")
        self._log._commit(self._key, outputs, position)
        if fault == "unknown":
            raise LogUnavailable("the outcome is unknown")

    async def close(self) -> None:
        pass


class _MemoryMembership:
    def __init__(
        self, log: MemoryLog, group: str, member: str, topics: tuple[str, ...], owned: Owned
    ) -> None:
        self.topics = topics
        self.owned = owned
        self.polls_left: int | None = None
        self._log = log
        self._group = group
        self._member = member
        self._positions: dict[Partition, int] = {}
        self._paused: set[Partition] = set()

    def assign(self, partitions: frozenset[Partition]) -> None:
        self._positions = dict.fromkeys(partitions, 0)
        self._paused = set(partitions)

    async def poll(self, wait_s: float, most: int) -> list[Record]:
        if self.polls_left is not None:
            self.polls_left -= 1
            if self.polls_left < 0:
                raise LogUnavailable(f"{self._member} is no member any more")
        # Nothing is awaited once records are taken: a lane might open elsewhere in between.
        await asyncio.sleep(0)
        found: list[Record] = []
        for partition in sorted(self._positions):
            if partition in self._paused:
                continue
            records = self._log._records[partition]
            start = bisect_left(records, self._positions[partition], key=attrgetter("offset"))
            fresh = records[start : start + most - len(found)]
            if fresh:
                self._positions[partition] = fresh[-1].offset + 1
                found += fresh
        if not found:
            await asyncio.sleep(min(wait_s, 0.02))
        return found

    def pause(self, partition: Partition) -> None:
        self._paused.add(partition)

    def resume(self, partition: Partition) -> None:
        self._paused.discard(partition)

    def seek(self, partition: Partition, offset: int) -> None:
        if partition in self._positions:
            self._positions[partition] = offset

    async def leave(self) -> None:
        current = self._log._members.get(self._group, {})
        if current.get(self._member) is self:
            await self._log.expel(self._group, self._member)
