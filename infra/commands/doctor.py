"""``tidegate doctor``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from infra.commands import with_settings

if TYPE_CHECKING:
    from infra.settings import Settings


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print it as a JSON object.")
@with_settings
def command(settings: Settings, as_json: bool) -> None:
    """Say what this machine lacks, and the remedy.

    Exit code 1 if something must be mended before `up` can work.
    """
    from infra.doctor import examine, report

    if not report(examine(settings), as_json):
        sys.exit(1)
