"""Alerts read from their topic and printed, one line or one JSON object each."""

from __future__ import annotations

import click

from schemas.codec import decode, encode
from schemas.errors import PoisonError
from schemas.topics import ALERTS
from schemas.watching import AlertChanged
from streams.log import Connection, Record
from streams.tail import Tail

_COLOURS = {"critical": "red", "warning": "yellow", "info": "blue"}


async def follow_alerts(connection: Connection, as_json: bool) -> None:
    """Print every change of an alert from now on.

    Raises:
        LogUnavailable: If Kafka does not answer.
    """
    async with Tail(connection, [ALERTS.name], from_start=False) as alerts:
        async for record in alerts.read_for_ever():
            if alert := _read(record):
                _print(alert, as_json)


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
            _print(alert, as_json)


def _read(record: Record) -> AlertChanged | None:
    try:
        return decode(AlertChanged, record.value)
    except PoisonError as error:
        click.echo(f"skipped a record of {ALERTS.name}: {error}", err=True)
        return None


def _print(alert: AlertChanged, as_json: bool) -> None:
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
