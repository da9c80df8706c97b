"""Reads topics for people and clients: in no group, committed records alone, disturbing nobody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.errors import LogUnavailable, PipelineError, TransientError
from schemas.topics import RECORD_MAX_BYTES
from streams.kafka_errors import translated
from streams.kafka_log import KafkaLog, client_options
from streams.log import Connection, Partition, Record

_WAIT_MS = 500
_AGAIN_S = 0.5


class Tail:
    """Reads topics from their start or their end; an asynchronous context manager.

    A broker that goes away later is waited for.

    Args:
        connection: How to reach Kafka.
        topics: What to read.
        from_start: Whether to begin with the earliest records; if not, with what is written once
            this was entered.
    """

    def __init__(self, connection: Connection, topics: Sequence[str], *, from_start: bool) -> None:
        self._connection = connection
        self._topics = topics
        self._from_start = from_start
        self._consumer = AIOKafkaConsumer(
            **client_options(connection),
            isolation_level="read_committed",
            enable_auto_commit=False,
            # Where records have been let go of meanwhile, the first that is left comes next.
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=2 * RECORD_MAX_BYTES,
        )

    async def __aenter__(self) -> Tail:
        """Connect.

        Raises:
            LogUnavailable: If Kafka does not answer.
            ConfigError: If it refuses us, or a topic does not exist.
        """
        try:
            with translated():
                await self._consumer.start()
                await self._go_to_start()
        except LogUnavailable as error:
            await self._consumer.stop()
            where = self._connection.bootstrap
            raise LogUnavailable(
                f"Kafka does not answer at {where}; `tidegate up` starts one here"
            ) from error
        except PipelineError:
            await self._consumer.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Disconnect."""
        await self._consumer.stop()

    async def read(self) -> list[Record]:
        """Return what has come; empty if nothing does within half a second."""
        try:
            with translated():
                fetched = await self._consumer.getmany(timeout_ms=_WAIT_MS)
        except TransientError:
            await asyncio.sleep(_AGAIN_S)
            return []
        return [
            Record(
                Partition(raw.topic, raw.partition), raw.offset, raw.timestamp, raw.key, raw.value
            )
            for batch in fetched.values()
            for raw in batch
        ]

    async def read_for_ever(self) -> AsyncIterator[Record]:
        """Yield records as they come."""
        while True:
            for record in await self.read():
                yield record

    async def read_to_end(self) -> AsyncIterator[Record]:
        """Yield records up to where the topics end now."""
        ends = await self.ends()
        while ends:
            for record in await self.read():
                yield record
            with translated():
                for partition, end in list(ends.items()):
                    # Markers of transactions are passed by, but never returned.
                    if await self._consumer.position(TopicPartition(*partition)) >= end:
                        del ends[partition]

    async def ends(self) -> dict[Partition, int]:
        """Return where each partition ends now.

        Raises:
            LogUnavailable: If Kafka does not answer.
        """
        with translated():
            found = await self._consumer.end_offsets(self._consumer.assignment())
        return {Partition(where.topic, where.partition): end for where, end in found.items()}

    def seek(self, partition: Partition, offset: int) -> None:
        """Go on with the record at ``offset``."""
        self._consumer.seek(TopicPartition(*partition), offset)

    async def _go_to_start(self) -> None:
        log = KafkaLog(self._connection)
        try:
            partitions = [
                TopicPartition(topic, number)
                for topic in self._topics
                for number in range(await log.partitions(topic))
            ]
        finally:
            await log.close()
        self._consumer.assign(partitions)
        if self._from_start:
            await self._consumer.seek_to_beginning()
        else:
            await self._consumer.seek_to_end()
        for partition in partitions:
            await self._consumer.position(partition)


def _record(raw: Any) -> Record:
    partition = Partition(raw.topic, raw.partition)
    return Record(partition, raw.offset, raw.timestamp, raw.key, raw.value)
