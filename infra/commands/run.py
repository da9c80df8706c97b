"""``tidegate run ROLE``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from infra.commands import with_settings

if TYPE_CHECKING:
    from infra.settings import Settings


@click.command("run")
@click.argument(
    "role", type=click.Choice(["gate", "worker", "sink", "monitors", "alerts", "embeddings"])
)
@click.option("--pool", help="The pool whose requests a worker answers.")
@click.option("--instance", type=click.IntRange(min=0), default=0, help="Tells replicas apart.")
@click.option(
    "--ready-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A file to create once the role serves.",
)
@with_settings
def command(
    settings: Settings, role: str, pool: str | None, instance: int, ready_file: Path | None
) -> None:
    """Run one role in this process.

    Until SIGTERM; its log goes to standard error.
    """
    from infra.logs import log_to_stderr
    from infra.roles import run_role
    from schemas.errors import ConfigError

    if (role == "worker") != (pool is not None):
        raise ConfigError("names the pool of a worker, and of no other role", key="--pool")

    def ready() -> None:
        if ready_file:
            ready_file.touch()

    log_to_stderr(f"{role}-{pool}" if pool else role, settings.logs.level)
    run_role(role, settings, pool, ready, instance)
