"""Adds to the audit trail, where each entry follows from the one before."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from aiokafka import AIOKafkaProducer

from feedback.audit import entry_after
from schemas.codec import decode, encode
from schemas.improving import AuditEntry
from schemas.topics import AUDIT
from streams.kafka_errors import translated
from streams.kafka_log import client_options
from streams.log import Connection
from streams.tail import Tail

OPERATORS = "tidegate"
"""The workspace whose trail holds what operators did to the system itself."""


async def audit(
    connection: Connection,
    *,
    actor: str,
    action: str,
    subject: str,
    details: Mapping[str, str],
    workspace: str = OPERATORS,
) -> AuditEntry:
    """Add an entry to the trail of ``workspace`` and return it once it is stored.

    Of two that add at the same time the earlier one fails, so that the trail never forks.

    Args:
        connection: How to reach Kafka.
        actor: The person or role that did it.
        action: What was done, as a name.
        subject: What it was done to.
        details: Anything else worth keeping; never raw text.
        workspace: Whose trail it is.

    Raises:
        LogUnavailable: If Kafka does not answer, or another has begun to add meanwhile.
        ConfigError: If it refuses us, or has no such topic.
    """
    with translated():
        producer = AIOKafkaProducer(
            **client_options(connection), transactional_id=f"tidegate-audit-{workspace}"
        )
        async with producer, producer.transaction():
            entry = entry_after(
                await _last(connection, workspace),
                workspace=workspace,
                at=datetime.now(UTC),
                actor=actor,
                action=action,
                subject=subject,
                details=details,
            )
            await producer.send(AUDIT.name, encode(entry), key=workspace.encode())
    return entry


async def _last(connection: Connection, workspace: str) -> AuditEntry | None:
    """Return the newest entry of a trail; the topic keeps that one for ever."""
    last = None
    async with Tail(connection, [AUDIT.name], from_start=True) as trail:
        async for record in trail.read_to_end():
            if record.key == workspace.encode():
                last = decode(AuditEntry, record.value)
    return last
