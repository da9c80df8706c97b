"""Consumer lag as the number of unfinished records, which reaches 0 when there is nothing to do.

The end of a log minus the committed offset would not: the markers of transactions leave holes.
"""

from __future__ import annotations

from collections.abc import Callable

from streams.bitmap import unpack
from streams.kafka_log import KafkaLog
from streams.log import Partition, Position

MOST = 5000
"""Records after which counting one partition stops: "at least so many" is enough to know."""


def _nothing(position: Position) -> set[int]:
    return set()


def _in_bitmap(position: Position) -> set[int]:
    return unpack(position.offset, position.metadata)


async def unfinished(
    log: KafkaLog,
    group: str,
    topic: str,
    finished: Callable[[Position], set[int]] = _nothing,
) -> int:
    """Return how many records of ``topic`` the group has not finished.

    Args:
        log: The cluster.
        group: The group.
        topic: What it reads.
        finished: Which offsets after a committed position are finished all the same.

    Raises:
        LogUnavailable: If the cluster does not answer.
    """
    count = 0
    for number in range(await log.partitions(topic)):
        partition = Partition(topic, number)
        position = await log.committed(group, partition)
        done = finished(position)
        offsets = await log.offsets_from(partition, position.offset, MOST)
        count += sum(offset not in done for offset in offsets)
    return count


async def waiting(log: KafkaLog, group: str, topic: str) -> int:
    """Return :func:`unfinished` for a group of workers, whose positions carry a bitmap."""
    return await unfinished(log, group, topic, _in_bitmap)
