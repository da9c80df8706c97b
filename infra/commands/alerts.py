"""``tidegate alerts``."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
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


@command.command("ack")
@click.argument("alert_id")
@click.option("--by", "author", required=True, help="Who answers for it.")
@click.option("--note", default="", help="A few words.")
@with_settings
def acknowledge(settings: Settings, alert_id: str, author: str, note: str) -> None:
    """Say that a person has seen an alert and answers for it.

    ALERT_ID is as `tidegate alerts list --json` has it.
    """
    import asyncio

    from infra.alert_lines import acknowledge_alert

    asyncio.run(acknowledge_alert(settings.connection(), alert_id, author, note))


@command.command("test")
@click.argument("rule", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--from", "since", type=click.DateTime(), help="UTC; a day ago if not given.")
@click.option("--to", "until", type=click.DateTime(), help="UTC; now if not given.")
@click.option("--json", "as_json", is_flag=True, help="Print events, one JSON object a line.")
@with_settings
def test(
    settings: Settings, rule: Path, since: datetime | None, until: datetime | None, as_json: bool
) -> None:
    """Say when the rule in a file would have fired on stored findings.

    Rules that it refers to are the registry's. No alert is open at the beginning. Nothing is
    written. Exit code 1 if it would not have fired.
    """
    from infra.alert_history import tried_rules, would_have_told
    from infra.alert_lines import print_alert
    from infra.roles import checked_registry
    from streams.querying import asking
    from streams.speaking import speakers_of

    registry = checked_registry(settings.registry)
    tried, rules = tried_rules(rule, registry)
    end = until.replace(tzinfo=UTC) if until else datetime.now(UTC)
    begin = since.replace(tzinfo=UTC) if since else end - timedelta(days=1)
    store = settings.store("reader")
    fired = 0
    for change in would_have_told(
        store, asking(store), tried, rules, speakers_of(registry), begin, end
    ):
        print_alert(change, as_json)
        fired += change.state == "firing"
    click.echo(f"{tried.name} would have fired {fired} times", err=True)
    if not fired:
        sys.exit(1)
