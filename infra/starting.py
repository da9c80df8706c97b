"""``up`` as the operator sees it: each part as it comes, then where everything is."""

from __future__ import annotations

import signal
import time
from pathlib import Path

from rich.console import Console

from infra.daemon import Daemon, start_daemon
from infra.plan import make_plan
from infra.settings import Settings
from infra.state import Phase
from infra.status_table import Display, display

_LOOK_EVERY_S = 0.2
_OPEN = (
    "The embedded Kafka and the ClickHouse reader are open to every account of this machine;"
    " TIDEGATE_EMBEDDED_AUTH=1 gives them passwords."
)


def bring_up(settings: Settings, model: Path | None, stay: bool) -> None:
    """Start the system and show how it comes up.

    Args:
        settings: All of them.
        model: A folder with a model to serve instead of what the registry says.
        stay: Whether to stay until Ctrl-C or SIGTERM and then take the system down; if not, this
            returns when all is ready.

    Raises:
        ConfigError: If the system cannot be started.
        KeyboardInterrupt: If it was told to stop before it was ready.
    """
    console = Console()
    daemon = start(settings, model, console, attached=stay)
    console.print(whereabouts(settings), highlight=False, soft_wrap=True)
    if stay:
        if console.is_terminal:
            from infra.view import show_view

            show_view(settings, alive=lambda: _lives(daemon))
        with display(console, daemon.state()) as shown:
            until_ended(daemon, shown)
        daemon.result()
        console.print("Stopped.")


def start(settings: Settings, model: Path | None, console: Console, *, attached: bool) -> Daemon:
    """Start the system and return once it is ready; SIGINT and SIGTERM stop it from now on.

    Args:
        settings: All of them.
        model: A folder with a model to serve instead of what the registry says.
        console: Where to show how it comes up.
        attached: Whether it ends when this process does.

    Raises:
        ConfigError: If the system cannot be started.
        KeyboardInterrupt: If it was told to stop before it was ready.
    """
    began = time.monotonic()
    daemon = start_daemon(settings, lambda: make_plan(settings, model), attached=attached)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: daemon.stop())
    with display(console) as shown:
        ready = _until_ready(daemon, shown)
    if not ready:
        daemon.result()
        raise KeyboardInterrupt
    console.print(f"Ready in {time.monotonic() - began:.0f} s.", highlight=False)
    return daemon


def whereabouts(settings: Settings) -> str:
    """Return where the parts of a running system are reached."""
    kafka = settings.kafka or f"127.0.0.1:{settings.ports.kafka}"
    store = settings.clickhouse or f"http://127.0.0.1:{settings.ports.clickhouse_http}/tidegate"
    lines = [
        f"  Kafka       {kafka}",
        f"  ClickHouse  {store}",
        f"  registry    {settings.registry}",
        f"  logs        {settings.data / 'logs'}",
    ]
    ours = settings.kafka is None or settings.clickhouse is None
    if ours and not settings.embedded_auth:
        lines.append(_OPEN)
    return "\n".join(lines)


def _until_ready(daemon: Daemon, shown: Display) -> bool:
    while daemon.wait(_LOOK_EVERY_S):
        if state := daemon.state():
            shown.show(state)
            if state.phase is Phase.READY:
                return True
    return False


def until_ended(daemon: Daemon, shown: Display) -> None:
    """Show how the system stands until it has ended."""
    while daemon.wait(_LOOK_EVERY_S):
        if state := daemon.state():
            shown.show(state)


def _lives(daemon: Daemon) -> bool:
    state = daemon.state()
    return daemon.wait(most_s=0.0) and state is not None and state.phase is Phase.READY
