"""How many workers of a pool are alive, by the membership of its consumer group."""

from __future__ import annotations

from aiokafka.admin import AIOKafkaAdminClient

from streams.kafka_errors import translated
from streams.kafka_log import client_options
from streams.log import Connection


def worker_group(pool: str) -> str:
    """Return the consumer group of the workers of ``pool``."""
    return f"tidegate-worker-{pool}"


class LiveWorkers:
    """Counts the live members of the worker groups; one that died counts until its session ends.

    Args:
        connection: How to reach Kafka.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._admin: AIOKafkaAdminClient | None = None

    async def count(self, pool: str) -> int:
        """Return how many workers of ``pool`` are members of its group now.

        Raises:
            LogUnavailable: If Kafka does not answer.
        """
        with translated():
            if self._admin is None:
                admin = AIOKafkaAdminClient(**client_options(self._connection))
                await admin.start()
                self._admin = admin
            (answer,) = await self._admin.describe_consumer_groups([worker_group(pool)])
        return sum(len(group[5]) for group in answer.groups)

    async def close(self) -> None:
        """Give the connection back."""
        if self._admin is not None:
            await self._admin.close()
            self._admin = None
