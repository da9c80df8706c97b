"""Makes registry, topics and tables for roles that run without ``up``, as containers do.

``python -m infra.prepare`` runs once before them and may run again at any time.
"""

from __future__ import annotations

import sys

import click

from infra.plan import furnish
from infra.registry import write_defaults
from infra.roles import checked_registry
from infra.settings import Settings
from infra.settings_sources import load_settings
from schemas.errors import ConfigError, PipelineError


def prepare(settings: Settings) -> list[str]:
    """Write the shipped registry if there is none, make missing topics and tables.

    Returns:
        The pools that the registry names.

    Raises:
        ConfigError: If the registry will not do, or a server refuses.
        TransientError: If a server does not answer.
    """
    write_defaults(settings.registry)
    pools = list(checked_registry(settings.registry).pools())
    furnish(settings, pools)
    return pools


if __name__ == "__main__":
    try:
        found = prepare(load_settings())
    except PipelineError as error:
        click.echo(f"tidegate: {error}", err=True)
        sys.exit(2 if isinstance(error, ConfigError) else 1)
    click.echo(f"Topics and tables are there, for the pools {', '.join(found)}.")
