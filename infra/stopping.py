"""``down`` as the operator sees it: each part as it goes."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress

from rich.console import Console

from infra.datafolder import DataFolder
from infra.settings import Settings
from infra.state import read_state
from infra.status_table import display
from infra.undertaker import end_leftovers

_LOOK_EVERY_S = 0.1
_SERVERS_S = 30.0


def bring_down(settings: Settings) -> None:
    """Let the running system drain and end, and show how it goes; none running is fine.

    A supervisor that does not end in the time that draining may take is killed; its parts go with
    it.
    """
    console = Console()
    folder = DataFolder(settings.data)
    pid = folder.holder()
    if pid is None:
        ended = end_leftovers(read_state(folder.run))
        rest = f"; what was left of an earlier run is ended: {', '.join(ended)}" if ended else ""
        console.print(f"Nothing runs on {folder.path}{rest}.", highlight=False, soft_wrap=True)
        return
    known = read_state(folder.run)
    _signal(pid, signal.SIGTERM)
    deadline = time.monotonic() + settings.supervisor.drain_s + _SERVERS_S
    with display(console, known) as shown:
        while folder.holder() is not None:
            if state := read_state(folder.run):
                shown.show(state)
            if time.monotonic() > deadline:
                _signal(pid, signal.SIGKILL)
            time.sleep(_LOOK_EVERY_S)
        if state := read_state(folder.run):
            shown.show(state)
    console.print("Stopped.")


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)
