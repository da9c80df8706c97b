"""A person's word, put on the feedback topic."""

from __future__ import annotations

from aiokafka import AIOKafkaProducer

from schemas.codec import encode
from schemas.improving import AlertAcknowledged, ReferenceReset
from schemas.topics import FEEDBACK
from streams.kafka_errors import translated
from streams.kafka_log import client_options
from streams.log import Connection


async def say(connection: Connection, key: str, word: AlertAcknowledged | ReferenceReset) -> None:
    """Write ``word`` under ``key`` and return once it is stored.

    Raises:
        LogUnavailable: If Kafka does not answer.
        ConfigError: If it refuses us, or has no topics.
    """
    with translated():
        producer = AIOKafkaProducer(
            **client_options(connection), acks="all", enable_idempotence=True
        )
        await producer.start()
        try:
            await producer.send_and_wait(FEEDBACK.name, encode(word), key.encode())
        finally:
            await producer.stop()
