"""The live view of the flow, on a terminal."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from rich.console import Console
from rich.live import Live

from infra.datafolder import DataFolder
from infra.feed import Feed
from infra.roles import checked_registry
from infra.settings import Settings
from infra.state import read_state
from infra.view_page import page

_DRAW_EVERY_S = 0.5


def show_view(settings: Settings, alive: Callable[[], bool]) -> None:
    """Show the flow until Ctrl-C, or until ``alive`` returns false.

    Raises:
        LogUnavailable: If Kafka does not answer.
        ConfigError: If the registry or a setting will not do.
    """
    asyncio.run(_show(settings, alive))


async def _show(settings: Settings, alive: Callable[[], bool]) -> None:
    console = Console()
    run = DataFolder(settings.data).run
    pools = list(checked_registry(settings.registry).pools())
    async with Feed(settings.connection(), pools) as feed:
        with Live(console=console, screen=True, auto_refresh=False) as live:
            while alive():
                drawn = page(feed.flow, feed.lags(), read_state(run), time.time())
                live.update(drawn, refresh=True)
                await asyncio.sleep(_DRAW_EVERY_S)
