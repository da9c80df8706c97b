"""``tidegate demo``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from infra.commands import with_settings

if TYPE_CHECKING:
    from infra.settings import Settings


@click.command("demo")
@click.option(
    "--file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Send your own prompts, one JSON object a line, instead of the bank's.",
)
@click.option("--limit", type=click.IntRange(min=1), help="Send so many requests at most.")
@click.option(
    "--max-tokens",
    type=click.IntRange(min=1),
    default=32,
    show_default=True,
    help="The longest answer.",
)
@with_settings
def command(settings: Settings, file: Path | None, limit: int | None, max_tokens: int) -> None:
    """Run a bank's traffic, with planned mishaps.

    Each mishap must raise the alert that names its cause, and every request must end.

    Starts the system if it does not run. Exit code 1 if an alert or a request is missing.
    """
    from infra.demo import run_demo

    if not run_demo(settings, file=file, limit=limit, max_tokens=max_tokens):
        sys.exit(1)
