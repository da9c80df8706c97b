"""``tidegate registry``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from infra.commands import with_settings

if TYPE_CHECKING:
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
