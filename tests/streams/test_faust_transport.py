"""What Faust sees of a topic written in transactions, and how far it says it has come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import faust
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from faust.types import TP, StreamT

from streams.faust_roles import batches, make_app, raw
from streams.faust_transport import CommittedConsumer
from streams.kafka_log import client_options
from streams.log import Connection
from tests.embedded import start, stop
from tests.encrypted import Authority, EncryptedBroker
from tests.streams.faust_cluster import PATIENCE_S, new_broker, produce, until

pytestmark = pytest.mark.kafka
WORK_S = 0.02


@pytest.fixture
async def topic(kafka: Connection) -> str:
    """A topic of the test's own."""
    return await _make_topic(kafka)


async def _make_topic(kafka: Connection) -> str:
    """Make a topic with four partitions and return its name."""
    name = f"test-{uuid4().hex}"
    admin = AIOKafkaAdminClient(**client_options(kafka))
    await admin.start()
    await admin.create_topics([NewTopic(name, 4, 1)])
    await admin.close()
    return name


@asynccontextmanager
async def reading(
    kafka: Connection,
    topic: str,
    data: Path,
    take: Callable[[bytes], None],
    instance: str = "a",
) -> AsyncIterator[faust.App]:
    """Run an app of the group called after ``topic`` that shows each record's value to take."""
    app = make_app(f"group-{topic}", kafka, data=data, instance=instance)

    @app.agent(raw(app, topic))
    async def read(stream: StreamT[bytes]) -> None:
        async for batch in batches(stream, most=50, within_s=0.1):
            await asyncio.sleep(WORK_S)
            for event in batch:
                take(event.message.value or b"")

    await app.start()
    try:
        yield app
    finally:
        await app.stop()


async def committed(kafka: Connection, topic: str, partition: int = 0) -> int:
    """Return the offset that the group called after ``topic`` committed, 0 if none."""
    admin = AIOKafkaAdminClient(**client_options(kafka))
    await admin.start()
    try:
        where = TopicPartition(topic, partition)
        found = await admin.list_consumer_group_offsets(f"group-{topic}", partitions=[where])
        return max(0, found[where].offset) if where in found else 0
    finally:
        await admin.close()


async def test_aborted_records_are_not_seen_and_commits_pass_markers(
    kafka: Connection, topic: str, tmp_path: Path
) -> None:
    """One record, two aborted ones and three more: four are seen, and the group is at the end."""
    await produce(kafka, [(topic, b"k", b"1")], partition=0)
    await produce(kafka, [(topic, b"k", b"no")] * 2, partition=0, aborted=True)
    await produce(kafka, [(topic, b"k", b"%d" % number) for number in (2, 3, 4)], partition=0)
    seen: list[bytes] = []
    async with reading(kafka, topic, tmp_path, seen.append) as app:
        await until(lambda: _is(committed(kafka, topic), 8))
        consumer = app.consumer
        assert isinstance(consumer, CommittedConsumer)
        # The last offset is a marker; what matters before it has been dealt with.
        ends = consumer.ends([topic])
        assert ends[TP(topic, 0)] == 9
        assert await consumer.is_past(ends)
        assert not await consumer.is_past({TP(topic, 0): 10})
    assert seen == [b"1", b"2", b"3", b"4"]


async def test_a_batch_whose_body_raises_comes_again(
    kafka: Connection, topic: str, tmp_path: Path
) -> None:
    """The error ends the app, nothing of the batch is committed, and a new app reads all of it."""

    def refuse(value: bytes) -> None:
        raise ValueError("no")

    await produce(kafka, [(topic, b"k", b"%d" % number) for number in range(5)], partition=0)
    async with reading(kafka, topic, tmp_path, refuse) as app:
        await asyncio.wait_for(app.wait_until_stopped(), PATIENCE_S)
    assert isinstance(app.crash_reason, ValueError)
    assert await committed(kafka, topic) == 0
    seen: list[bytes] = []
    async with reading(kafka, topic, tmp_path, seen.append):
        await until(lambda: _is(committed(kafka, topic), 5))
    assert seen == [b"0", b"1", b"2", b"3", b"4"]


async def test_no_record_is_lost_while_members_join(
    kafka: Connection, topic: str, tmp_path: Path
) -> None:
    """Of a backlog that three members come to share, every record is seen by one of them."""
    planted = [b"%d" % number for number in range(8000)]
    for first in range(0, len(planted), 1000):
        await produce(kafka, [(topic, value, value) for value in planted[first : first + 1000]])
    seen: set[bytes] = set()
    async with (
        reading(kafka, topic, tmp_path, seen.add),
        reading(kafka, topic, tmp_path, seen.add, "b"),
        reading(kafka, topic, tmp_path, seen.add, "c"),
    ):
        await until(lambda: _holds(len(seen) == len(planted)))
    assert seen == set(planted)


async def test_a_cluster_that_wants_to_know_who_we_are_is_read(tmp_path: Path) -> None:
    """Name, password and certificates reach Faust's own clients."""
    authority = Authority(tmp_path / "certificates")
    broker = EncryptedBroker(**vars(new_broker(tmp_path)) | {"auth": True}, authority=authority)
    await asyncio.to_thread(broker.prepare)
    server = await asyncio.to_thread(start, broker)
    try:
        topic = await _make_topic(broker.connection)
        await produce(broker.connection, [(topic, b"k", b"1")])
        seen: list[bytes] = []
        async with reading(broker.connection, topic, tmp_path, seen.append):
            await until(lambda: _holds(seen == [b"1"]))
    finally:
        stop(server)


async def _is(question: Awaitable[int], answer: int) -> bool:
    return await question == answer


async def _holds(fact: bool) -> bool:
    return fact
