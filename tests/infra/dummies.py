"""A system of small dummy parts under the real supervisor."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from infra.children import Part
from infra.daemon import Daemon, start_daemon
from infra.datafolder import DataFolder
from infra.settings import Disk, Settings, SupervisorSettings
from infra.state import Phase, State, read_state
from infra.supervisor import Plan
from infra.undertaker import end_leftovers

PATIENCE_S = 180.0
"""How long a test waits for what must come; nothing hangs on how soon it does."""

LIVES = """
import os, pathlib, subprocess, sys, time
subprocess.Popen(["sleep", "1000"])
print("here is", os.environ["NAME"], flush=True)
pathlib.Path(os.environ["READY"]).touch()
time.sleep(1000)
"""
"""A part that starts a process of its own, which would outlive it."""

STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + LIVES
DIES = "import sys; print('nothing to live for'); sys.exit(3)"
FADES = "import os, pathlib, time; pathlib.Path(os.environ['READY']).touch(); time.sleep(0.5)"
REFUSES = "import sys; print('the setting x is wrong', file=sys.stderr); sys.exit(2)"
NEVER_READY = "import time; time.sleep(1000)"


def settings_for(data: Path, **supervisor: float) -> Settings:
    """Return settings under which everything goes fast."""
    quick = {"backoff_first_s": 0.05, "backoff_most_s": 0.2, "drain_s": 0.5, **supervisor}
    return Settings(
        data=data,
        supervisor=SupervisorSettings.model_validate(quick),
        disk=Disk(min_free_bytes=0),
    )


def part(folder: DataFolder, name: str, code: str) -> Part:
    """Return a part that runs ``code``."""
    ready = folder.ready_file(name)
    return Part(
        name=name,
        command=lambda: [sys.executable, "-c", code],
        is_ready=ready.exists,
        variables=lambda: {"NAME": name, "READY": str(ready)},
        prepare=lambda: ready.unlink(missing_ok=True),
    )


def plan_of(folder: DataFolder, server: str = LIVES, **roles: str) -> Callable[[], Plan]:
    """Return a plan of one server and ``roles``, each with the code that it runs."""
    return lambda: Plan(
        servers=[part(folder, "server", server)],
        furnish=lambda: None,
        roles=[part(folder, name, code) for name, code in roles.items()],
    )


@contextmanager
def started(settings: Settings, plan: Callable[[], Plan]) -> Iterator[Daemon]:
    """Run a system inside the block; nothing of it is left behind it."""
    daemon = start_daemon(settings, plan, attached=True)
    try:
        yield daemon
    finally:
        folder = DataFolder(settings.data)
        if folder.holder() == daemon.pid:
            with suppress(ProcessLookupError):
                os.kill(daemon.pid, signal.SIGKILL)
        eventually(lambda: folder.holder() is None)
        end_leftovers(read_state(folder.run))


def eventually(holds: Callable[[], bool]) -> None:
    """Wait until ``holds`` returns true; fail if it never does."""
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, "what must come did not"
        time.sleep(0.02)


def state_of(settings: Settings) -> State:
    """Return what the supervisor last said."""
    state = read_state(DataFolder(settings.data).run)
    assert state is not None
    return state


def until_ready(daemon: Daemon) -> State:
    """Wait until every part is ready and return the state."""

    def ready() -> bool:
        daemon.wait(0.05)
        state = daemon.state()
        return state is not None and state.phase is Phase.READY

    eventually(ready)
    state = daemon.state()
    assert state is not None
    return state


def group_of(pid: int | None) -> list[int]:
    """Return the processes of the group that ``pid`` leads, but for those that are dead."""
    listed = subprocess.run(
        ["ps", "-e", "-o", "pid=,pgid=,stat="], capture_output=True, text=True, check=True
    )
    rows = [line.split() for line in listed.stdout.splitlines()]
    return [int(row[0]) for row in rows if int(row[1]) == pid and not row[2].startswith("Z")]
