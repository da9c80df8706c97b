"""Takes in the alerts that fire while a run lasts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from infra.demo.episodes import Raised
from infra.demo.progress import Progress
from schemas.codec import decode
from schemas.errors import PoisonError
from schemas.topics import ALERTS
from schemas.watching import AlertChanged
from streams.deadletters import appended_at
from streams.log import Connection
from streams.tail import Tail


@asynccontextmanager
async def following(connection: Connection, progress: Progress) -> AsyncIterator[None]:
    """Note every alert that fires inside the block, once.

    Raises:
        LogUnavailable: If Kafka does not answer.
        ConfigError: If there is no topic of alerts.
    """
    async with Tail(connection, [ALERTS.name], from_start=False) as tail:
        task = asyncio.create_task(_follow(tail, progress))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def _follow(tail: Tail, progress: Progress) -> None:
    told: set[UUID] = set()
    async for record in tail.read_for_ever():
        try:
            alert = decode(AlertChanged, record.value)
        except PoisonError as error:
            progress.notes.append(f"a record of {ALERTS.name} cannot be read: {error}")
            continue
        if alert.event_id in told:
            continue
        told.add(alert.event_id)
        if alert.state == "firing":
            progress.raised.append(Raised(alert, appended_at(record)))
        elif alert.state == "resolved":
            progress.resolved.append(Raised(alert, appended_at(record)))
