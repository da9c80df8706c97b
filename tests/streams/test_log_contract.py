"""What streams.log promises, of Kafka and of the model of it alike."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from schemas.errors import ConfigError, Fenced
from schemas.topics import RECORD_MAX_BYTES
from streams.kafka_log import KafkaLog, client_options
from streams.log import (
    METADATA_MAX_BYTES,
    Connection,
    Log,
    Membership,
    Output,
    Partition,
    Position,
    Record,
)
from streams.memory_log import MemoryLog
from tests.streams.faust_cluster import PATIENCE_S


class Cluster(ABC):
    """A log with one input and one output topic of two partitions each, and a name of its own."""

    def __init__(self) -> None:
        mark = uuid4().hex[:8]
        self.group, self.input, self.output = f"group-{mark}", f"in-{mark}", f"out-{mark}"
        self.log: Log

    @abstractmethod
    async def append(self, value: bytes, number: int = 0) -> None:
        """Write a record to the input outside any transaction."""

    @abstractmethod
    async def written(self) -> list[bytes]:
        """Return what a read_committed reader finds in the output."""


class InMemory(Cluster):
    """The model."""

    def __init__(self) -> None:
        super().__init__()
        self.log = self._memory = MemoryLog({self.input: 2, self.output: 2})

    async def append(self, value: bytes, number: int = 0) -> None:
        """Write as an application would."""
        self._memory.now_ms += 10
        self._memory._append(Output(self.input, None, value, number))

    async def written(self) -> list[bytes]:
        """Read the object."""
        return [record.value or b"" for record in self._memory.read(self.output)]


class OnKafka(Cluster):
    """The real broker."""

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self._options = client_options(connection)
        self.log = KafkaLog(connection)

    async def create(self) -> None:
        """Make both topics, with the sizes and times of the real ones."""
        admin = AIOKafkaAdminClient(**self._options)
        await admin.start()
        configs = {
            "max.message.bytes": str(RECORD_MAX_BYTES),
            "message.timestamp.type": "LogAppendTime",
        }
        await admin.create_topics(
            [NewTopic(name, 2, 1, topic_configs=configs) for name in (self.input, self.output)]
        )
        await admin.close()

    async def append(self, value: bytes, number: int = 0) -> None:
        """Write as an application would."""
        async with AIOKafkaProducer(**self._options) as producer:
            await producer.send_and_wait(self.input, value, partition=number)

    async def written(self) -> list[bytes]:
        """Read to the end with a client of its own."""
        consumer = AIOKafkaConsumer(
            self.output,
            **self._options,
            isolation_level="read_committed",
            auto_offset_reset="earliest",
        )
        found: list[bytes] = []
        async with consumer:
            while batches := await consumer.getmany(timeout_ms=1000):
                found += [record.value for batch in batches.values() for record in batch]
        return found


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.kafka)])
def connection(request: pytest.FixtureRequest) -> Connection | None:
    """The real broker, or none."""
    if request.param == "memory":
        return None
    found: Connection = request.getfixturevalue("kafka")
    return found


@pytest.fixture
async def cluster(connection: Connection | None) -> AsyncIterator[Cluster]:
    """Both logs, in turn."""
    if connection is None:
        yield InMemory()
        return
    found = OnKafka(connection)
    await found.create()
    yield found
    await found.log.close()


class Member:
    """A member of the cluster's group that remembers what it owns."""

    def __init__(self, cluster: Cluster, log: Log, name: str) -> None:
        self._cluster = cluster
        self._log = log
        self._name = name
        self.owns: frozenset[Partition] = frozenset()
        self.membership: Membership

    async def join(self) -> Member:
        """Join the group."""
        cluster = self._cluster
        self.membership = await self._log.join(
            cluster.group, self._name, [cluster.input], self._owned
        )
        return self

    async def _owned(self, membership: Membership, partitions: frozenset[Partition]) -> None:
        self.owns = partitions

    async def until(self, count: int) -> None:
        """Poll until ``count`` partitions are owned."""
        async with asyncio.timeout(PATIENCE_S):
            while len(self.owns) != count:
                await self.membership.poll(0.1, 100)

    async def read(self, count: int) -> list[Record]:
        """Poll until ``count`` records have come."""
        found: list[Record] = []
        async with asyncio.timeout(PATIENCE_S):
            while len(found) < count:
                found += await self.membership.poll(0.1, 100)
        return found


async def test_outputs_and_position_are_written_together(cluster: Cluster) -> None:
    """After a write, the outputs are readable and the position is what was committed."""
    partition = Partition(cluster.input, 0)
    writer = await cluster.log.open_writer(cluster.group, partition)
    note = "n" * METADATA_MAX_BYTES
    outputs = [Output(cluster.output, b"k", str(i).encode(), i % 2) for i in range(10)]
    await writer.write(outputs, Position(7, note))
    await writer.close()
    assert sorted(await cluster.written()) == sorted(str(i).encode() for i in range(10))
    assert await cluster.log.committed(cluster.group, partition) == Position(7, note)


async def test_position_of_a_new_group_is_the_earliest_record(cluster: Cluster) -> None:
    """A group that never committed starts at the first record."""
    await cluster.append(b"first")
    found = await cluster.log.committed(cluster.group, Partition(cluster.input, 0))
    assert found == Position(0)


async def test_later_writer_shuts_out_the_earlier(cluster: Cluster) -> None:
    """What a writer writes after a later one was opened does not happen."""
    partition = Partition(cluster.input, 0)
    old = await cluster.log.open_writer(cluster.group, partition)
    await old.write([Output(cluster.output, None, b"old", 0)], Position(1))
    new = await cluster.log.open_writer(cluster.group, partition)
    with pytest.raises(Fenced):
        await old.write([Output(cluster.output, None, b"zombie", 0)], Position(2))
    await new.write([Output(cluster.output, None, b"new", 0)], Position(3))
    await old.close()
    await new.close()
    assert await cluster.written() == [b"old", b"new"]
    assert (await cluster.log.committed(cluster.group, partition)).offset == 3


async def test_writers_of_two_partitions_do_not_disturb_each_other(cluster: Cluster) -> None:
    """Fencing goes by partition."""
    first = await cluster.log.open_writer(cluster.group, Partition(cluster.input, 0))
    second = await cluster.log.open_writer(cluster.group, Partition(cluster.input, 1))
    await first.write([Output(cluster.output, None, b"0", 0)], Position(1))
    await second.write([Output(cluster.output, None, b"1", 1)], Position(1))
    await first.close()
    await second.close()
    assert sorted(await cluster.written()) == [b"0", b"1"]


async def test_largest_records_pass(cluster: Cluster) -> None:
    """Records near the limit, and many small ones beside them, go through one transaction."""
    partition = Partition(cluster.input, 0)
    writer = await cluster.log.open_writer(cluster.group, partition)
    large = b"x" * (RECORD_MAX_BYTES - 10_000)
    outputs = [Output(cluster.output, b"k", value, 0) for value in (large, b"small", large)]
    outputs += [Output(cluster.output, b"k", b"y" * 1000, 1) for _ in range(3000)]
    await writer.write(outputs, Position(1))
    await writer.close()
    found = await cluster.written()
    assert len(found) == 3003
    assert sum(len(value) == len(large) for value in found) == 2


async def test_assigned_partitions_are_paused_until_resumed(cluster: Cluster) -> None:
    """A member reads nothing before it says from where, and then everything in order."""
    for index in range(5):
        await cluster.append(str(index).encode())
    member = await Member(cluster, cluster.log, "a").join()
    await member.until(2)
    assert await member.membership.poll(0.5, 100) == []
    partition = Partition(cluster.input, 0)
    member.membership.seek(partition, 2)
    member.membership.resume(partition)
    records = await member.read(3)
    assert [(r.offset, r.value) for r in records] == [(2, b"2"), (3, b"3"), (4, b"4")]
    member.membership.pause(partition)
    await cluster.append(b"5")
    assert await member.membership.poll(0.5, 100) == []
    await member.membership.leave()


async def test_partitions_are_shared_among_members(cluster: Cluster) -> None:
    """A second member takes half of the partitions."""
    first = await Member(cluster, cluster.log, "a").join()
    await first.until(2)
    second = await Member(cluster, cluster.log, "b").join()
    await asyncio.gather(first.until(1), second.until(1))
    assert first.owns.isdisjoint(second.owns)
    await second.membership.leave()
    await first.membership.leave()


async def test_history_is_what_lies_before_an_offset(cluster: Cluster) -> None:
    """The stretch before an offset comes back, and nothing of what follows it."""
    for index in range(6):
        await cluster.append(str(index).encode())
    found: list[bytes | None] = []
    async for batch in cluster.log.history(Partition(cluster.input, 0), 4, 60_000):
        found += [record.value for record in batch]
    assert found == [b"0", b"1", b"2", b"3"]


async def test_history_at_the_end_of_the_log(cluster: Cluster) -> None:
    """The stretch may end where the log ends, or be empty."""
    partition = Partition(cluster.input, 0)
    assert [batch async for batch in cluster.log.history(partition, 0, 60_000) if batch] == []
    await cluster.append(b"0")
    batches: Sequence[list[Record]] = [
        batch async for batch in cluster.log.history(partition, 1, 60_000)
    ]
    assert [record.value for batch in batches for record in batch] == [b"0"]


async def test_missing_topic_is_a_configuration_error(cluster: Cluster) -> None:
    """A topic that nobody created is named, rather than waited for."""
    with pytest.raises(ConfigError, match="no-such-topic"):
        await cluster.log.partitions("no-such-topic")
