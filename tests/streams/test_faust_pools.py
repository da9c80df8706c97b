"""How many workers a pool has, by the members of its group."""

from __future__ import annotations

from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from streams.kafka_log import client_options
from streams.log import Connection
from streams.pools import LiveWorkers, worker_group
from tests.streams.faust_cluster import until


@pytest.mark.kafka
async def test_members_of_the_group_are_live_workers(kafka: Connection) -> None:
    """None, then two as they join, then one as the other leaves."""
    pool = uuid4().hex
    admin = AIOKafkaAdminClient(**client_options(kafka))
    await admin.start()
    await admin.create_topics([NewTopic(pool, 2, 1)])
    await admin.close()
    workers = LiveWorkers(kafka)
    members = [
        AIOKafkaConsumer(pool, **client_options(kafka), group_id=worker_group(pool))
        for _ in range(2)
    ]
    for member in members:
        await member.start()

    async def live(count: int) -> bool:
        return await workers.count(pool) == count

    await until(lambda: live(2))
    await members[0].stop()
    await until(lambda: live(1))
    await members[1].stop()
    await until(lambda: live(0))
    await workers.close()
