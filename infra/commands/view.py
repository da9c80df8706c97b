"""``tidegate view``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from infra.commands import with_settings

if TYPE_CHECKING:
    from infra.settings import Settings


@click.command("view")
@with_settings
def command(settings: Settings) -> None:
    """Watch the flow live, until Ctrl-C.

    Rates, latencies, verdicts, alerts and lag.
    """
    from infra.view import show_view

    show_view(settings, alive=lambda: True)
