"""Kafka's question where a group stands, asked so that the answer is what was last committed.

aiokafka knows the question up to its third version. A coordinator answers that from what it knows
to be replicated, and for a moment after a broker has come back that may be nothing at all: it says
without an error that nothing was ever committed. Since the seventh version one may ask for stable
offsets: the answer waits until the coordinator has seen all that was written.

References:
    KIP-447, "Producer scalability for exactly once semantics"; OffsetFetch in Kafka's protocol.
"""

from __future__ import annotations

from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import CoordinatorNotAvailableError, for_code
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Int64,
    Schema,
    TaggedFields,
)

from streams.log import Partition, Position

_UNSTABLE = 88
_UNKNOWN = CoordinatorNotAvailableError


class _Answer(Response):  # type: ignore[misc]  # aiokafka has no types
    API_KEY = 9
    API_VERSION = 7
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "topics",
            CompactArray(
                ("topic", CompactString("utf-8")),
                (
                    "partitions",
                    CompactArray(
                        ("partition", Int32),
                        ("offset", Int64),
                        ("leader_epoch", Int32),
                        ("metadata", CompactString("utf-8")),
                        ("error_code", Int16),
                        ("tags", TaggedFields),
                    ),
                ),
                ("tags", TaggedFields),
            ),
        ),
        ("error_code", Int16),
        ("tags", TaggedFields),
    )


class _Question(RequestStruct):  # type: ignore[misc]
    API_KEY = 9
    API_VERSION = 7
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = _Answer
    SCHEMA = Schema(
        ("group", CompactString("utf-8")),
        (
            "topics",
            CompactArray(
                ("topic", CompactString("utf-8")),
                ("partitions", CompactArray(Int32)),
                ("tags", TaggedFields),
            ),
        ),
        ("require_stable", Boolean),
        ("tags", TaggedFields),
    )


class _Offset(Request[_Question]):  # type: ignore[misc]
    API_KEY = 9

    def __init__(self, group: str, partition: Partition, stable: bool) -> None:
        self._group = group
        self._partition = partition
        self._stable = stable

    def build(self, request_struct_class: type[_Question]) -> _Question:
        asked: list[Any] = [(self._partition.topic, [self._partition.number], {})]
        return request_struct_class(self._group, asked, self._stable, {})


async def stable_position(
    admin: AIOKafkaAdminClient, group: str, partition: Partition
) -> Position | None:
    """Return where ``group`` stands in ``partition``; None if it never committed there.

    A commit that is pending for ever, of a transaction that has ended, makes no offset unstable for
    us: who asks has ended the transactions of earlier owners. That the coordinator knows of it says
    that it has seen everything, so it may be asked once more, for what was committed.

    Args:
        admin: A client that is started.
        group: The group.
        partition: The partition.

    Raises:
        aiokafka.errors.KafkaError: If the coordinator cannot tell, or refuses; it takes Kafka 2.5
            or newer.
    """
    node = await admin.find_coordinator(group)
    for stable in (True, False):
        answer = await admin._send_request(_Offset(group, partition, stable), node)
        if answer.error_code or not answer.topics:
            error = for_code(answer.error_code) if answer.error_code else _UNKNOWN
            raise error(f"group {group!r}")
        ((_, ((_, offset, _, metadata, error_code, _),), _),) = answer.topics
        if error_code != _UNSTABLE:
            break
    if error_code:
        raise for_code(error_code)(f"group {group!r}")
    return Position(offset, metadata or "") if offset >= 0 else None
