"""``tidegate status``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from infra.commands import with_settings

if TYPE_CHECKING:
    from infra.settings import Settings


@click.command("status")
@click.option("--json", "as_json", is_flag=True, help="Print it as a JSON object.")
@with_settings
def command(settings: Settings, as_json: bool) -> None:
    """Show how each part stands.

    And what memory it takes, with everything it started.

    Exit code 1 unless all of them are ready.
    """
    from infra.datafolder import DataFolder
    from infra.state import read_state
    from infra.status_table import print_status

    folder = DataFolder(settings.data)
    state = read_state(folder.run) if folder.holder() is not None else None
    if state is None:
        click.echo(f"Nothing runs on {folder.path}; `tidegate up` starts it.", err=True)
        sys.exit(1)
    if not print_status(state, as_json):
        sys.exit(1)
