"""Takes in the alerts that fire while a run lasts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from infra.demo.episodes import Raised
from infra.demo.progress import Progress
from schemas.codec import decode
from schemas.errors import PoisonError
from schemas.topics import ALERTS
from schemas.watching import AlertChanged
from streams.deadletters import appended_at
from streams.log import Connection, Record
from streams.tail import Tail


@asynccontextmanager
async def following(connection: Connection, progress: Progress) -> AsyncIterator[None]:
    """Note every alert that fires inside the block, once, and those that were open before.

    Raises:
        LogUnavailable: If Kafka does not answer.
        ConfigError: If there is no topic of alerts.
    """
    async with Tail(connection, [ALERTS.name], from_start=True) as tail:
        async for record in tail.read_to_end():
            note_alert(record, progress, is_new=False)
        task = asyncio.create_task(_follow(tail, progress))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def _follow(tail: Tail, progress: Progress) -> None:
    async for record in tail.read_for_ever():
        note_alert(record, progress, is_new=True)


def note_alert(record: Record, progress: Progress, *, is_new: bool) -> None:
    """Take in a record of the alerts' topic; ``is_new`` if it was written since the run began."""
    try:
        alert = decode(AlertChanged, record.value)
    except PoisonError as error:
        progress.notes.append(f"a record of {ALERTS.name} cannot be read: {error}")
        return
    # Alerts are written at least once: what comes again changes nothing.
    known = progress.open.get(alert.alert_id)
    if alert.state == "resolved":
        progress.open.pop(alert.alert_id, None)
    else:
        progress.open[alert.alert_id] = alert
    raised = Raised(alert, appended_at(record))
    if is_new and alert.state == "firing" and (known is None or known.firing != alert.firing):
        progress.raised.append(raised)
    elif is_new and alert.state == "resolved" and known is not None:
        progress.resolved.append(raised)
