"""``tidegate run ROLE``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from infra.commands import with_settings

if TYPE_CHECKING:
    from infra.alibi.fitting import Name
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
@click.option(
    "--backend",
    type=click.Choice(["alibi"]),
    help="One of alibi-detect's monitors and none of ours, in the environment of `make alibi`.",
)
@click.option(
    "--detector",
    type=click.Choice(["mmd", "lsdd"]),
    help="With alibi: its online MMD, which it is if not given, or LSDD.",
)
@click.option(
    "--arl",
    type=click.FloatRange(min=50),
    help="With alibi: texts between false alarms, on average; 500 if not given.",
)
@click.option(
    "--reference",
    type=click.IntRange(min=200),
    help="With alibi: texts of a version that say what is usual; 1,000 if not given.",
)
@with_settings
def command(
    settings: Settings,
    role: str,
    pool: str | None,
    instance: int,
    ready_file: Path | None,
    backend: str | None,
    detector: Name | None,
    arl: float | None,
    reference: int | None,
) -> None:
    """Run one role in this process.

    Until SIGTERM; its log goes to standard error.

    With `monitors --backend alibi`, prompts and answers of every deployment are watched by
    alibi-detect, beside our own monitors, which go on elsewhere. Its licence, BSL 1.1, does not
    allow use in production free of charge.
    """
    from infra.logs import log_to_stderr
    from infra.roles import run_role
    from schemas.errors import ConfigError

    if (role == "worker") != (pool is not None):
        raise ConfigError("names the pool of a worker, and of no other role", key="--pool")
    if backend is not None:
        from infra.alibi.start import become_worker

        if role != "monitors":
            raise ConfigError("is for monitors, and for no other role", key="--backend")
        become_worker(settings, detector or "mmd", arl or 500, reference or 1000, ready_file)
    if detector or arl or reference:
        raise ConfigError("--detector, --arl and --reference go with --backend")

    def ready() -> None:
        if ready_file:
            ready_file.touch()

    log_to_stderr(f"{role}-{pool}" if pool else role, settings.logs.level)
    run_role(role, settings, pool, ready, instance)
