"""Where a group stands is what its coordinator says, and no answer is not the beginning."""

from __future__ import annotations

from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.structs import OffsetAndMetadata

from schemas.errors import LogUnavailable
from streams.kafka_log import KafkaLog
from streams.log import Partition, Position

PARTITION = Partition("llm.requests.v1", 0)


class Cluster:
    """An admin client and a reader at once, whose coordinator says what it is told to."""

    def __init__(self, said: dict[TopicPartition, OffsetAndMetadata]) -> None:
        self.said = said

    async def list_consumer_group_offsets(
        self, group: str, partitions: Any
    ) -> dict[TopicPartition, OffsetAndMetadata]:
        """Return what it was told to say."""
        return self.said

    async def beginning_offsets(self, partitions: Any) -> dict[TopicPartition, int]:
        """Return where partitions begin."""
        return dict.fromkeys(partitions, 3)


def log_with(said: dict[TopicPartition, OffsetAndMetadata]) -> KafkaLog:
    """Return a log whose coordinator says ``said``."""
    log: Any = KafkaLog.__new__(KafkaLog)
    log._admin = log._reader = Cluster(said)

    async def connect() -> None:
        """Be connected already."""

    log._connect = connect
    made: KafkaLog = log
    return made


async def test_a_coordinator_that_still_reads_its_groups_in_is_not_believed() -> None:
    """An answer that does not name the partition is none: to begin anew would double all."""
    with pytest.raises(LogUnavailable):
        await log_with({}).committed("group", PARTITION)


@pytest.mark.parametrize(
    ("offset", "metadata", "expected"),
    [(7, "note", Position(7, "note")), (-1, "", Position(3))],
)
async def test_what_is_committed_counts_and_nothing_is_the_beginning(
    offset: int, metadata: str, expected: Position
) -> None:
    """A partition with a position is read from there, one without from its beginning."""
    said = {TopicPartition(*PARTITION): OffsetAndMetadata(offset, metadata)}
    assert await log_with(said).committed("group", PARTITION) == expected
