"""Feeds a view: every topic from Kafka, and how far each role has come with them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient

from infra.backlog import MOST, Backlog
from infra.flow import Flow
from infra.roles import GATE_GROUP, SINK_GROUP
from infra.topics import topics_for
from schemas.errors import PipelineError, TransientError
from schemas.topics import ALERTS, COMPLETIONS, FINDINGS, OBSERVATIONS, REQUESTS, work_topic
from streams.kafka_errors import translated
from streams.kafka_log import client_options
from streams.log import Connection, Partition, Position
from streams.observing import SOURCES
from streams.pools import worker_group
from streams.tail import Tail

_POSITIONS_EVERY_S = 1.0


class Feed:
    """Reads everything that passes; an asynchronous context manager.

    Args:
        connection: How to reach Kafka.
        pools: The pools there are.

    Attributes:
        flow: What passed since this was entered.
    """

    def __init__(self, connection: Connection, pools: Sequence[str]) -> None:
        topics = topics_for(pools)
        stored = frozenset(name for name, topic in topics.items() if topic.table)
        workers = {f"worker-{pool}": worker_group(pool) for pool in pools}
        self.flow = Flow()
        self._roles = {
            "gate": GATE_GROUP,
            **workers,
            "sink": SINK_GROUP,
            "monitors": "tidegate-monitors",
            "alerts": "tidegate-alerts",
        }
        reads = {
            GATE_GROUP: frozenset([REQUESTS.name, COMPLETIONS.name]),
            **{worker_group(pool): frozenset([work_topic(pool)]) for pool in pools},
            SINK_GROUP: stored,
            "tidegate-monitors": frozenset([*SOURCES, OBSERVATIONS.name]),
            "tidegate-alerts": frozenset([FINDINGS.name]),
        }
        self._backlog = Backlog(reads, frozenset(workers.values()))
        self._admin = AIOKafkaAdminClient(**client_options(connection))
        self._tail = Tail(connection, sorted(topics), from_start=False)
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Feed:
        """Connect, and begin where the role that is furthest behind stands.

        Raises:
            LogUnavailable: If Kafka does not answer.
            ConfigError: If it refuses us, or a topic does not exist.
        """
        await self._tail.__aenter__()
        try:
            with translated():
                await self._admin.start()
            await self._go_back()
        except PipelineError:
            await self._disconnect()
            raise
        self._tasks = [
            asyncio.create_task(self._read(time.time() * 1000)),
            asyncio.create_task(self._follow_positions()),
        ]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Disconnect."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._disconnect()

    async def _disconnect(self) -> None:
        await self._tail.__aexit__()
        await self._admin.close()

    def lags(self) -> dict[str, int]:
        """Return how many records each role has before it."""
        return {role: self._backlog.unfinished(group) for role, group in self._roles.items()}

    async def _go_back(self) -> None:
        await self._take_positions()
        for partition, end in (await self._tail.ends()).items():
            first = self._backlog.first_unfinished(partition)
            if partition.topic == ALERTS.name:
                # How alerts stand follows from all of them; old ones are compacted away.
                first = 0
            if first is not None and first < end:
                self._tail.seek(partition, max(first, end - MOST))

    async def _read(self, since_ms: float) -> None:
        async for record in self._tail.read_for_ever():
            self._backlog.saw(record.partition, record.offset)
            if record.timestamp_ms >= since_ms or record.partition.topic == ALERTS.name:
                self.flow.add(record)

    async def _follow_positions(self) -> None:
        while True:
            await asyncio.sleep(_POSITIONS_EVERY_S)
            await self._take_positions()

    async def _take_positions(self) -> None:
        for group in self._roles.values():
            try:
                with translated():
                    found = await self._admin.list_consumer_group_offsets(group)
            except TransientError:
                # A coordinator that is away, or not yet made, comes back; its figures stand still.
                continue
            self._backlog.committed(group, _positions(found))


def _positions(found: Mapping[Any, Any]) -> dict[Partition, Position]:
    return {
        Partition(where.topic, where.partition): Position(at.offset, at.metadata or "")
        for where, at in found.items()
    }
