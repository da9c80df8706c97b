"""Where a group stands is what its coordinator says, and no answer is not the beginning."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from aiokafka.errors import GroupAuthorizationFailedError, GroupLoadInProgressError

from schemas.errors import ConfigError, LogUnavailable
from streams.kafka_log import KafkaLog
from streams.log import Partition, Position

PARTITION = Partition("llm.requests.v1", 0)


class Answer(NamedTuple):
    """What a coordinator says."""

    error_code: int
    topics: Any


class Cluster:
    """An admin client and a reader at once, whose coordinator says what it is told to."""

    def __init__(self, *said: Answer) -> None:
        self.said = list(said)

    async def find_coordinator(self, group: str) -> int:
        """Return the only node there is."""
        return 1

    async def _send_request(self, request: Any, node: int) -> Answer:
        return self.said.pop(0)

    async def beginning_offsets(self, partitions: Any) -> dict[Any, int]:
        """Return where partitions begin."""
        return dict.fromkeys(partitions, 3)


def log_with(*said: Answer) -> KafkaLog:
    """Return a log whose coordinator says ``said``, one after the other."""
    log: Any = KafkaLog.__new__(KafkaLog)
    log._admin = log._reader = Cluster(*said)

    async def connect() -> None:
        """Be connected already."""

    log._connect = connect
    made: KafkaLog = log
    return made


def about(offset: int, metadata: str | None, error_code: int = 0) -> Any:
    """Return an answer's part about the partition."""
    return [(PARTITION.topic, [(0, offset, -1, metadata, error_code, {})], {})]


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (Answer(GroupLoadInProgressError.errno, []), LogUnavailable),
        (Answer(0, []), LogUnavailable),
        (Answer(0, about(-1, "", GroupLoadInProgressError.errno)), LogUnavailable),
        (Answer(GroupAuthorizationFailedError.errno, []), ConfigError),
    ],
)
async def test_a_coordinator_that_cannot_tell_is_not_believed(
    said: Answer, error: type[Exception]
) -> None:
    """Whether it speaks of the group, the partition or nothing: to begin anew would double all."""
    with pytest.raises(error):
        await log_with(said).committed("group", PARTITION)


@pytest.mark.parametrize(
    ("offset", "metadata", "expected"),
    [(7, "note", Position(7, "note")), (7, None, Position(7)), (-1, "", Position(3))],
)
async def test_what_is_committed_counts_and_nothing_is_the_beginning(
    offset: int, metadata: str | None, expected: Position
) -> None:
    """A partition with a position is read from there, one without from its beginning."""
    said = Answer(0, about(offset, metadata))
    assert await log_with(said).committed("group", PARTITION) == expected


async def test_a_commit_that_is_pending_for_ever_stops_nobody() -> None:
    """What was committed before it is where the group stands."""
    log = log_with(Answer(0, about(-1, "", 88)), Answer(0, about(7, "note")))
    assert await log.committed("group", PARTITION) == Position(7, "note")
