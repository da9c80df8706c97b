"""Writes what is measured of guards on its topic, from where it is stored and watched."""

from __future__ import annotations

from collections.abc import Sequence

from aiokafka import AIOKafkaProducer

from schemas.codec import encode
from schemas.evaluations import GuardAttacked
from schemas.topics import EVALUATIONS
from streams.kafka_errors import translated
from streams.kafka_log import client_options
from streams.log import Connection


async def record(connection: Connection, events: Sequence[GuardAttacked]) -> None:
    """Write ``events`` in one transaction: all of them, or none.

    Raises:
        LogUnavailable: If Kafka does not answer.
        ConfigError: If it refuses us, or has no such topic.
    """
    with translated():
        producer = AIOKafkaProducer(
            **client_options(connection), transactional_id="tidegate-evaluations"
        )
        async with producer, producer.transaction():
            for event in events:
                await producer.send(EVALUATIONS.name, encode(event), key=event.guard.encode())
