"""``tidegate up``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from infra.commands import with_settings

if TYPE_CHECKING:
    from infra.settings import Settings


@click.command("up")
@click.option("--wait", is_flag=True, help="Return when all is ready; it goes on until `down`.")
@click.option(
    "--model",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Serve the model in this folder instead of the demo's.",
)
@with_settings
def command(settings: Settings, wait: bool, model: Path | None) -> None:
    """Start everything and watch it live.

    It runs until Ctrl-C or, with --wait, in the background until `tidegate down`.
    """
    from infra.starting import bring_up

    bring_up(settings, model, stay=not wait)
