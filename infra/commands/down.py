"""``tidegate down``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from infra.commands import with_settings

if TYPE_CHECKING:
    from infra.settings import Settings


@click.command("down")
@with_settings
def command(settings: Settings) -> None:
    """Stop everything that `up` started.

    Roles finish what they hold, for 30 s at most; store and broker go last.
    """
    from infra.stopping import bring_down

    bring_down(settings)
