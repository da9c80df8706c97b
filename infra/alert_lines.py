"""Alerts read from their topic and printed, one line or one JSON object each."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import click

from schemas.base import event_id
from schemas.codec import decode, encode
from schemas.errors import ConfigError, PoisonError
from schemas.improving import AlertAcknowledged
from schemas.topics import ALERTS
from schemas.watching import AlertChanged
from streams.log import Connection, Record
from streams.saying import say
from streams.tail import Tail

_REMEMBERED = 10_000
_COLOURS = {"critical": "red", "warning": "yellow", "info": "blue"}


class Told:
    """The latest changes that were told, so that one which is written again is not told again."""

    def __init__(self) -> None:
        self._ids: dict[UUID, None] = {}

    def is_new(self, alert: AlertChanged) -> bool:
        """Return whether this change was not told yet, and remember it."""
        if alert.event_id in self._ids:
            return False
        self._ids[alert.event_id] = None
        if len(self._ids) > _REMEMBERED:
            del self._ids[next(iter(self._ids))]
        return True


async def follow_alerts(connection: Connection, as_json: bool) -> None:
    """Print every change of an alert from now on, each once.

    Raises:
        LogUnavailable: If Kafka does not answer.
    """
    once = Told()
    async with Tail(connection, [ALERTS.name], from_start=False) as alerts:
        async for record in alerts.read_for_ever():
            if (alert := _read(record)) and once.is_new(alert):
                print_alert(alert, as_json)


async def print_alerts(connection: Connection, every: bool, as_json: bool) -> None:
    """Print how each alert stands now.

    Args:
        connection: How to reach Kafka.
        every: Whether to print those that have ended, too.
        as_json: Whether to print the events themselves.

    Raises:
        LogUnavailable: If Kafka does not answer.
    """
    stand = {}
    async with Tail(connection, [ALERTS.name], from_start=True) as alerts:
        async for record in alerts.read_to_end():
            if alert := _read(record):
                stand[alert.alert_id] = alert
    for alert in sorted(stand.values(), key=lambda alert: alert.fired_at):
        if every or alert.state != "resolved":
            print_alert(alert, as_json)


def _read(record: Record) -> AlertChanged | None:
    try:
        return decode(AlertChanged, record.value)
    except PoisonError as error:
        click.echo(f"skipped a record of {ALERTS.name}: {error}", err=True)
        return None


async def acknowledge_alert(connection: Connection, alert_id: str, author: str, note: str) -> None:
    """Write that ``author`` answers for an alert.

    Raises:
        LogUnavailable: If Kafka does not answer.
        ConfigError: If there is no such alert, or it does not fire.
    """
    state = ""
    async with Tail(connection, [ALERTS.name], from_start=True) as alerts:
        async for record in alerts.read_to_end():
            if (alert := _read(record)) and alert.alert_id == alert_id:
                state = alert.state
    if state != "firing":
        raise ConfigError(f"alert {alert_id!r} {'is ' + state if state else 'does not exist'}")
    at = datetime.now(UTC)
    word = AlertAcknowledged(
        event_id=event_id("acknowledged", alert_id, author, at.isoformat()),
        occurred_at=at,
        alert_id=alert_id,
        author=author,
        note=note,
    )
    await say(connection, alert_id, word)


def print_alert(alert: AlertChanged, as_json: bool) -> None:
    """Print how an alert changed, as words for a person or as the event."""
    if as_json:
        click.echo(encode(alert))
        return
    state = click.style(f"{alert.state:<12}", bold=alert.state == "firing")
    severity = click.style(f"{alert.severity:<8}", fg=_COLOURS[alert.severity])
    when = f"{alert.occurred_at.astimezone():%H:%M:%S}"
    click.echo(f"{when}  {state} {severity} {alert.deployment}: {alert.title}")
    if alert.cause and alert.state != "resolved":
        click.echo(f"          {alert.cause}")
    if alert.exemplars and alert.state == "firing":
        click.secho(f"          tidegate trace {alert.exemplars[0]}", dim=True)
