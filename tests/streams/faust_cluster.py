"""A broker of a test's own, with Tidegate's topics: its roles are known by fixed group names."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from infra.broker import Broker
from infra.topics import apply
from streams.kafka_log import client_options
from streams.log import Connection
from tests.embedded import CACHE, free_port, running

PATIENCE_S = 120.0
"""How long a test waits for what must come; nothing hangs on how soon it does."""


def new_broker(folder: Path) -> Broker:
    """Return a small broker that has not been started."""
    return Broker(folder, CACHE, port=free_port(), controller_port=free_port(), heap_mb=256)


@contextmanager
def cluster(folder: Path) -> Iterator[Connection]:
    """Run a broker that has all topics."""
    broker = new_broker(folder)
    with running(broker):
        asyncio.run(apply(broker.connection, ["small"]))
        yield broker.connection


async def produce(
    connection: Connection,
    records: Sequence[tuple[str, bytes, bytes]],
    *,
    partition: int | None = None,
    aborted: bool = False,
) -> None:
    """Write ``records`` (topic, key, value) in one transaction, and take it back if ``aborted``."""
    producer = AIOKafkaProducer(**client_options(connection), transactional_id="planted")
    await producer.start()
    try:
        await producer.begin_transaction()
        sent = [
            await producer.send(topic, value, key=key, partition=partition)
            for topic, key, value in records
        ]
        await asyncio.gather(*sent)
        await (producer.abort_transaction() if aborted else producer.commit_transaction())
    finally:
        await producer.stop()


async def read_all(connection: Connection, topic: str) -> list[Any]:
    """Return the committed records that ``topic`` holds now."""
    consumer = AIOKafkaConsumer(
        **client_options(connection),
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    await consumer.start()
    try:
        await consumer._client._wait_on_metadata(topic)
        where = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic)]
        consumer.assign(where)
        ends = await consumer.end_offsets(where)
        found: list[Any] = []
        while any([await consumer.position(tp) < ends[tp] for tp in where]):
            fetched = await consumer.getmany(timeout_ms=200)
            found += [record for records in fetched.values() for record in records]
        return found
    finally:
        await consumer.stop()


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Return once ``condition`` holds.

    Raises:
        TimeoutError: If it does not within :data:`PATIENCE_S`.
    """
    async with asyncio.timeout(PATIENCE_S):
        while not await condition():
            await asyncio.sleep(0.2)
