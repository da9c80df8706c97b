"""What feeds the view, on a real broker."""

from __future__ import annotations

import asyncio

import pytest
from aiokafka import AIOKafkaProducer

from infra.feed import Feed
from infra.topics import apply
from schemas.base import Frozen
from schemas.codec import encode
from streams.kafka_log import client_options
from streams.log import Connection
from tests.infra import events

PATIENCE_S = 60


@pytest.mark.kafka
async def test_what_was_before_counts_as_lag_and_what_comes_as_flow(kafka: Connection) -> None:
    """Records that a role has still before it count, though they came before the view."""
    pool = "seen-by-feed"
    await apply(kafka, [pool])
    work = f"llm.work.{pool}.v1"
    producer = AIOKafkaProducer(**client_options(kafka))

    async def put(topic: str, event: Frozen) -> None:
        await producer.send_and_wait(topic, encode(event))

    async with producer:
        for _ in range(3):
            await put(work, events.admitted())
        async with Feed(kafka, [pool]) as feed, asyncio.timeout(PATIENCE_S):
            for _ in range(2):
                await put(work, events.admitted())
                await put("llm.responses.v1", events.released())
            while feed.lags()[f"worker-{pool}"] < 5 or not feed.flow.statuses:
                await asyncio.sleep(0.05)
            assert feed.lags()[f"worker-{pool}"] == 5
            assert set(feed.flow.statuses) == {"masked"}
