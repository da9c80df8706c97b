"""The log on Apache Kafka, by aiokafka."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.structs import OffsetAndMetadata

from schemas.errors import ConfigError
from schemas.topics import RECORD_MAX_BYTES
from streams.kafka_errors import translated
from streams.kafka_offsets import stable_position
from streams.log import (
    Connection,
    Membership,
    Output,
    Owned,
    Partition,
    Position,
    Record,
    Writer,
    spread,
)

SESSION_MS = 10_000
TRANSACTION_MS = 10_000
ANSWER_S = 30.0
"""How long one call may take before its outcome counts as unknown."""
BATCH_BYTES = 1 << 20
GATHERED_BYTES = 256 << 10
_READER_WAIT_MS = 20
"""It reads up to a known end, so it need not wait for more to come."""


def client_options(connection: Connection) -> dict[str, Any]:
    """Return aiokafka's keyword arguments for ``connection``.

    Raises:
        ConfigError: If a certificate file cannot be read.
    """
    options: dict[str, Any] = {
        "bootstrap_servers": connection.bootstrap,
        "security_protocol": connection.protocol,
    }
    if connection.protocol.startswith("SASL"):
        options |= {
            "sasl_mechanism": connection.mechanism,
            "sasl_plain_username": connection.username,
            "sasl_plain_password": connection.password,
        }
    if connection.protocol.endswith("SSL"):
        options["ssl_context"] = _ssl_context(connection)
    return options


def _ssl_context(connection: Connection) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=connection.cafile or None)
        if connection.certfile:
            context.load_cert_chain(connection.certfile, connection.keyfile or None)
    except OSError as error:
        raise ConfigError(
            f"cannot read the certificates: {error}", key="TIDEGATE_KAFKA_SECURITY"
        ) from error
    return context


class KafkaLog:
    """A Kafka cluster; see :class:`streams.log.Log` for what it promises.

    Args:
        connection: How to reach it.
        patience_ms: How long the broker may gather records for a member before it hands it fewer
            than :data:`GATHERED_BYTES`. Each answer costs both sides the same whatever is in it.
    """

    def __init__(self, connection: Connection, patience_ms: int = 0) -> None:
        self._options = client_options(connection)
        self._gathering: dict[str, Any] = {}
        if patience_ms:
            self._gathering = {"fetch_min_bytes": GATHERED_BYTES, "fetch_max_wait_ms": patience_ms}
        self._admin: AIOKafkaAdminClient | None = None
        self._reader: AIOKafkaConsumer | None = None
        self._starting = asyncio.Lock()
        self._counts: dict[str, int] = {}

    async def join(
        self, group: str, member: str, topics: Sequence[str], owned: Owned
    ) -> Membership:
        """Become a static member of ``group``."""
        for topic in topics:
            await self.partitions(topic)
        consumer = AIOKafkaConsumer(
            **self._options,
            group_id=group,
            group_instance_id=member,
            client_id=member,
            enable_auto_commit=False,
            isolation_level="read_committed",
            auto_offset_reset="earliest",
            session_timeout_ms=SESSION_MS,
            heartbeat_interval_ms=SESSION_MS // 5,
            max_partition_fetch_bytes=2 * RECORD_MAX_BYTES,
            fetch_max_bytes=32 << 20,
            **self._gathering,
        )
        membership = _KafkaMembership(consumer)
        consumer.subscribe(topics=list(topics), listener=_Listener(consumer, membership, owned))
        await _started(consumer)
        return membership

    async def open_writer(self, group: str, partition: Partition) -> Writer:
        """Start the transactional producer of the partition, which fences every earlier one."""
        producer = AIOKafkaProducer(
            **self._options,
            transactional_id=f"{group}-{partition.topic}-{partition.number}",
            transaction_timeout_ms=TRANSACTION_MS,
            max_request_size=RECORD_MAX_BYTES + BATCH_BYTES,
            max_batch_size=BATCH_BYTES,
        )
        await _started(producer)
        return _KafkaWriter(self, producer, group, partition)

    async def committed(self, group: str, partition: Partition) -> Position:
        """Ask the group's coordinator; where nothing was ever committed, that is the beginning.

        Raises:
            LogUnavailable: If it does not know, as while it still reads its groups in.
        """
        await self._connect()
        assert self._admin is not None
        assert self._reader is not None
        where = TopicPartition(*partition)
        with translated():
            async with asyncio.timeout(ANSWER_S):
                position = await stable_position(self._admin, group, partition)
                if position is not None:
                    return position
                return Position((await self._reader.beginning_offsets([where]))[where])

    async def history(
        self, partition: Partition, before: int, window_ms: int
    ) -> AsyncIterator[list[Record]]:
        """Read back with a consumer of no group, which is stopped in any case."""
        where = TopicPartition(*partition)
        consumer = AIOKafkaConsumer(
            **self._options,
            isolation_level="read_committed",
            enable_auto_commit=False,
            max_partition_fetch_bytes=2 * RECORD_MAX_BYTES,
        )
        await _started(consumer)
        try:
            with translated():
                consumer.assign([where])
                ends_ms = await self._timestamp_at(consumer, where, before)
                found = await consumer.offsets_for_times({where: max(0, ends_ms - window_ms)})
                first = found.get(where)
                if first is None or first.offset >= before:
                    return
                consumer.seek(where, first.offset)
                position = first.offset
            while position < before:
                with translated():
                    fetched = await consumer.getmany(where, timeout_ms=500, max_records=2000)
                    position = await consumer.position(where)
                batch = [r for r in _records(where, fetched.get(where, [])) if r.offset < before]
                if batch:
                    yield batch
        finally:
            await _stopped(consumer)

    async def offsets_from(self, partition: Partition, offset: int, most: int) -> list[int]:
        """Return the offsets of up to ``most`` committed records from ``offset`` on.

        Raises:
            LogUnavailable: If the cluster does not answer.
        """
        await self._connect()
        assert self._reader is not None
        where = TopicPartition(*partition)
        found: list[int] = []
        with translated():
            async with asyncio.timeout(ANSWER_S):
                end = (await self._reader.end_offsets([where]))[where]
                if offset >= end:
                    return found
                self._reader.assign([where])
                self._reader.seek(where, offset)
                try:
                    while len(found) < most and await self._reader.position(where) < end:
                        fetched = await self._reader.getmany(
                            where, timeout_ms=2 * _READER_WAIT_MS, max_records=most
                        )
                        found += [raw.offset for raw in fetched.get(where, [])]
                finally:
                    # What stays assigned is fetched for ever, and questions queue behind fetches.
                    self._reader.unsubscribe()
        return found

    async def _timestamp_at(
        self, consumer: AIOKafkaConsumer, where: TopicPartition, offset: int
    ) -> int:
        end = (await consumer.end_offsets([where]))[where]
        if offset < end:
            consumer.seek(where, offset)
            fetched = await consumer.getmany(where, timeout_ms=1000, max_records=1)
            for raw in fetched.get(where, []):
                return int(raw.timestamp)
        return int(time.time() * 1000)

    async def partitions(self, topic: str) -> int:
        """Ask for the topic's metadata; the answer is kept, for partitions are never taken away."""
        if topic not in self._counts:
            await self._connect()
            assert self._admin is not None
            with translated():
                async with asyncio.timeout(ANSWER_S):
                    (found,) = await self._admin.describe_topics([topic])
            if found["error_code"]:
                raise ConfigError(
                    f"Kafka has no topic {topic!r}: run `tidegate topics apply`", key="topics"
                )
            self._counts[topic] = len(found["partitions"])
        return self._counts[topic]

    async def close(self) -> None:
        """Stop the clients that questions were asked with."""
        if self._reader is not None:
            await _stopped(self._reader)
        if self._admin is not None:
            await _stopped(self._admin)
        self._admin = self._reader = None

    async def _connect(self) -> None:
        async with self._starting:
            if self._admin is None:
                admin = AIOKafkaAdminClient(**self._options)
                await _started(admin)
                reader = AIOKafkaConsumer(
                    **self._options,
                    enable_auto_commit=False,
                    isolation_level="read_committed",
                    fetch_max_wait_ms=_READER_WAIT_MS,
                )
                try:
                    await _started(reader)
                except BaseException:
                    await _stopped(admin)
                    raise
                self._admin, self._reader = admin, reader


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """Pauses what was assigned before any of it is read, then tells the loop."""

    def __init__(self, consumer: AIOKafkaConsumer, membership: Membership, owned: Owned) -> None:
        self._consumer = consumer
        self._membership = membership
        self._owned = owned

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Do nothing: until another member opens a partition, our writer for it is good."""

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Pause everything and hand it over."""
        self._consumer.pause(*assigned)
        mine = frozenset(Partition(where.topic, where.partition) for where in assigned)
        await self._owned(self._membership, mine)


class _KafkaMembership:
    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer

    async def poll(self, wait_s: float, most: int) -> list[Record]:
        with translated():
            fetched = await self._consumer.getmany(timeout_ms=int(wait_s * 1000), max_records=most)
        return [record for where, batch in fetched.items() for record in _records(where, batch)]

    def pause(self, partition: Partition) -> None:
        where = TopicPartition(*partition)
        if where in self._consumer.assignment():
            self._consumer.pause(where)

    def resume(self, partition: Partition) -> None:
        where = TopicPartition(*partition)
        if where in self._consumer.assignment():
            self._consumer.resume(where)

    def seek(self, partition: Partition, offset: int) -> None:
        where = TopicPartition(*partition)
        if where in self._consumer.assignment():
            self._consumer.seek(where, offset)

    async def leave(self) -> None:
        await _stopped(self._consumer)


class _KafkaWriter:
    def __init__(
        self, log: KafkaLog, producer: AIOKafkaProducer, group: str, partition: Partition
    ) -> None:
        self._log = log
        self._producer = producer
        self._group = group
        self._where = TopicPartition(*partition)

    async def write(self, outputs: Sequence[Output], position: Position) -> None:
        counts = {output.topic: 0 for output in outputs}
        for topic in counts:
            counts[topic] = await self._log.partitions(topic)
        with translated():
            async with asyncio.timeout(ANSWER_S):
                await self._producer.begin_transaction()
                await self._send(outputs, counts)
                await self._producer.send_offsets_to_transaction(
                    {self._where: OffsetAndMetadata(position.offset, position.metadata)},
                    self._group,
                )
                await self._producer.commit_transaction()

    async def _send(self, outputs: Sequence[Output], counts: dict[str, int]) -> None:
        grouped: dict[tuple[str, int], list[Output]] = {}
        for output in outputs:
            target = (output.topic, spread(output, counts[output.topic]))
            grouped.setdefault(target, []).append(output)
        acknowledged = []
        for (topic, number), group in grouped.items():
            batch = self._producer.create_batch()
            for output in group:
                if batch.append(timestamp=None, key=output.key, value=output.value) is None:
                    acknowledged.append(
                        await self._producer.send_batch(batch, topic, partition=number)
                    )
                    batch = self._producer.create_batch()
                    batch.append(timestamp=None, key=output.key, value=output.value)
            acknowledged.append(await self._producer.send_batch(batch, topic, partition=number))
        # The commit alone does not notice that a send failed.
        for outcome in await asyncio.gather(*acknowledged, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome

    async def close(self) -> None:
        await _stopped(self._producer)


async def _started(client: AIOKafkaConsumer | AIOKafkaProducer | AIOKafkaAdminClient) -> None:
    try:
        with translated():
            async with asyncio.timeout(ANSWER_S):
                await client.start()
    except BaseException:
        await _stopped(client)
        raise


async def _stopped(client: AIOKafkaConsumer | AIOKafkaProducer | AIOKafkaAdminClient) -> None:
    """Stop ``client``; one that hangs on an absent broker, or fails, is left behind."""
    stop = client.close if isinstance(client, AIOKafkaAdminClient) else client.stop
    with contextlib.suppress(RuntimeError, OSError, TimeoutError):
        async with asyncio.timeout(5.0):
            await stop()


def _records(where: TopicPartition, fetched: Iterable[Any]) -> list[Record]:
    partition = Partition(*where)
    return [Record(partition, r.offset, r.timestamp, r.key, r.value) for r in fetched]
