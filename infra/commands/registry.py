"""``tidegate registry``."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from infra.commands import with_settings

if TYPE_CHECKING:
    from infra.dry_run import DryRun
    from infra.settings import Settings


@click.group("registry")
def command() -> None:
    """The deployments, policies and alert rules."""


@command.command("check")
@with_settings
def check(settings: Settings) -> None:
    """Check every file and list what it defines; a mistake is named with file, line and key."""
    from infra.roles import checked_registry

    registry = checked_registry(settings.registry)
    for deployment in registry.deployments.values():
        version = registry.versions[f"deployments/{deployment.name}"]
        click.echo(f"deployment {deployment.name}  {version}  policy {deployment.policy}")
        for pool in deployment.pools:
            click.echo(f"  pool {pool.name}: {pool.model} on {pool.engine}")
    for name in registry.policies:
        click.echo(f"policy     {name}  {registry.versions[f'policies/{name}']}")
    for name in registry.rules:
        click.echo(f"alert rule {name}  {registry.versions[f'alerts/{name}']}")
    for name in registry.probes:
        click.echo(f"probe      {name}  {registry.versions[f'probes/{name}']}")
    for name in registry.plants:
        click.echo(f"plant      {name}  {registry.versions[f'plants/{name}']}")
    for name in registry.questions:
        click.echo(f"questions  {name}  {registry.versions[f'questions/{name}']}")


@command.command("dry-run")
@click.argument("policy", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--from", "since", type=click.DateTime(), help="UTC; a week ago if not given.")
@click.option("--to", "until", type=click.DateTime(), help="UTC; now if not given.")
@click.option("--deployment", default="", help="Only the traffic of this one.")
@click.option("--json", "as_json", is_flag=True, help="Print it as a JSON object.")
@with_settings
def dry_run_command(
    settings: Settings,
    policy: Path,
    since: datetime | None,
    until: datetime | None,
    deployment: str,
    as_json: bool,
) -> None:
    """Say what the policy in a file would have done to stored traffic.

    Thresholds, actions and failing open or closed are judged from stored scores. A guard that was
    not required reads the stored, masked answers; of prompts, which are not stored, it cannot be
    judged, and that is said.
    """
    from infra.dry_run import dry_run, stored_texts
    from infra.embedding import embedded
    from monitors import all_guards
    from monitors.guard import options_of
    from schemas.registry import Policy, check_policy
    from schemas.written import parse, read

    tried = parse(policy, read(policy), Policy)
    guards = all_guards(embedded)
    check_policy(policy, tried, {guard.name: options_of(guard) for guard in guards})
    to = until.replace(tzinfo=UTC) if until else datetime.now(UTC)
    start = since.replace(tzinfo=UTC) if since else to - timedelta(days=7)
    texts = stored_texts(settings.store("reader"), start, to, deployment)
    found = dry_run(texts, tried, guards)
    click.echo(found.model_dump_json(indent=2) if as_json else _in_words(found))


def _in_words(found: DryRun) -> str:
    lines = [f"{found.texts} stored texts under policy {found.policy}"]
    for side, before in found.before.items():
        for outcome in sorted(before.keys() | found.after[side].keys()):
            was, would = before.get(outcome, 0), found.after[side].get(outcome, 0)
            lines.append(f"  {side:<8} {outcome:<9} {was:>8} -> {would}")
    lines += [
        f"changed: {c.texts} {c.direction}s from {c.before} to {c.after}"
        f" because of {', '.join(c.because)}; e.g. {', '.join(c.examples)}"
        for c in found.changes
    ]
    lines += [
        f"cannot be judged: {u.guard} on {u.texts} {u.direction}s: {u.why}" for u in found.unjudged
    ]
    lines += [f"{guard} read {many} stored answers" for guard, many in found.read_masked.items()]
    return "\n".join([*lines, *found.notes])
