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
    from infra.silencing import RuleFile


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


@command.group("silence")
def silence() -> None:
    """Times at which a rule does not speak, kept in its file of the registry.

    They hold within seconds. Each change is an entry of the audit trail.
    """


@silence.command("add")
@click.argument("rule")
@click.option("--until", type=click.DateTime(), required=True, help="UTC.")
@click.option("--from", "since", type=click.DateTime(), help="UTC; now if not given.")
@click.option("--deployment", help="Only of this one.")
@click.option("--segment", multiple=True, metavar="NAME=VALUE", help="Only where it says this.")
@click.option("--by", "author", required=True, help="Who answers for it.")
@click.option("--reason", required=True, help="A few words.")
@with_settings
def add_silence(
    settings: Settings,
    rule: str,
    until: datetime,
    since: datetime | None,
    deployment: str | None,
    segment: tuple[str, ...],
    author: str,
    reason: str,
) -> None:
    """Silence RULE for a time."""
    from infra.silencing import RuleFile
    from schemas.alert_rules import Silence

    if any("=" not in one for one in segment):
        raise click.BadParameter("must be NAME=VALUE", param_hint="--segment")
    begin = since.replace(tzinfo=UTC) if since else datetime.now(UTC).replace(microsecond=0)
    told = Silence(
        since=begin,
        until=until.replace(tzinfo=UTC),
        deployment=deployment,
        segment=dict(one.split("=", 1) for one in segment),
        author=author,
        reason=reason,
    )
    file = RuleFile(settings.registry, rule)
    said = {"since": begin.isoformat(), "until": told.until.isoformat(), "reason": reason}
    _replace(settings, file, file.adding(told), author, "silence_added", rule, said)


@silence.command("list")
@with_settings
def list_silences(settings: Settings) -> None:
    """Print the silences that are not over, each with its rule and number."""
    from infra.silencing import open_silences

    for rule, number, one in open_silences(settings.registry, datetime.now(UTC)):
        about = [one.deployment or "", *(f"{name}={value}" for name, value in one.segment.items())]
        where = ", ".join(filter(None, about)) or "all"
        click.echo(
            f"{rule} {number}: {one.since:%Y-%m-%dT%H:%M} to {one.until:%Y-%m-%dT%H:%M}, {where}; "
            f"{one.author or 'nobody'}: {one.reason}"
        )


@silence.command("end")
@click.argument("rule")
@click.argument("number", type=int)
@click.option("--by", "author", required=True, help="Who answers for it.")
@with_settings
def end_silence(settings: Settings, rule: str, number: int, author: str) -> None:
    """End a silence of RULE; NUMBER is as `tidegate alerts silence list` has it."""
    from infra.silencing import RuleFile

    file = RuleFile(settings.registry, rule)
    raw = file.ending(number, datetime.now(UTC).replace(microsecond=0))
    said = {"since": file.silences[number - 1].since.isoformat()}
    _replace(settings, file, raw, author, "silence_ended", rule, said)


def _replace(
    settings: Settings,
    file: RuleFile,
    raw: bytes,
    author: str,
    action: str,
    rule: str,
    said: dict[str, str],
) -> None:
    """Write a rule's file once the audit trail says who changed it."""
    import asyncio

    from streams.auditing import audit

    entry = audit(
        settings.connection(), actor=author, action=action, subject=f"alerts/{rule}", details=said
    )
    asyncio.run(entry)
    file.write(raw)


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
