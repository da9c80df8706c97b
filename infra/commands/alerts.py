"""``tidegate alerts``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from infra.commands import with_settings

if TYPE_CHECKING:
    from infra.settings import Settings


@click.group("alerts")
def command() -> None:
    """The alerts, as they fire and end."""


@command.command("follow")
@click.option("--json", "as_json", is_flag=True, help="Print events, one JSON object a line.")
@with_settings
def follow(settings: Settings, as_json: bool) -> None:
    """Print every alert that fires, is acknowledged or ends, from now on, until Ctrl-C."""
    import asyncio

    from infra.alert_lines import follow_alerts

    asyncio.run(follow_alerts(settings.connection(), as_json))


@command.command("list")
@click.option("--all", "every", is_flag=True, help="Those that have ended, too.")
@click.option("--json", "as_json", is_flag=True, help="Print events, one JSON object a line.")
@with_settings
def list_alerts(settings: Settings, every: bool, as_json: bool) -> None:
    """Print the alerts that have not ended, as they stand."""
    import asyncio

    from infra.alert_lines import print_alerts

    asyncio.run(print_alerts(settings.connection(), every, as_json))
