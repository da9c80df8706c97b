"""Ends what the supervisor leaves behind, however the supervisor ends.

Every part leads a process group of its own. A part dies with the supervisor by itself (see
:mod:`infra.children`), but what it started in turn may not. So the supervisor forks a small process
that does nothing but wait for the supervisor's end, and then kills the groups that are left. It
shares the data folder's lock: the folder is free only when they are gone.
"""

from __future__ import annotations

import os
import signal
import stat
from contextlib import suppress
from pathlib import Path

from infra.state import State


class Undertaker:
    """The supervisor's end of it: says which process groups there are.

    Args:
        pipe: Where to write; its closing, by whatever cause, is the supervisor's end.
    """

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe

    def born(self, group: int) -> None:
        """Say that there is a process group to end."""
        self._tell(f"+{group}\n")

    def buried(self, group: int) -> None:
        """Say that a process group has been ended."""
        self._tell(f"-{group}\n")

    def _tell(self, line: str) -> None:
        # If it was killed, parts still die with the supervisor, and the next `up` ends the rest.
        with suppress(BrokenPipeError):
            os.write(self._pipe, line.encode())


def start_undertaker(lock: int) -> Undertaker:
    """Fork the process that waits for the end of this one.

    Args:
        lock: The descriptor on which the data folder's lock lies; it holds that one as well.
    """
    reading, writing = os.pipe()
    if os.fork() == 0:
        try:
            os.setsid()
            for descriptor in {int(name) for name in os.listdir("/proc/self/fd")}:
                if descriptor > 2 and descriptor not in (lock, reading):
                    with suppress(OSError):
                        os.close(descriptor)
            _wait_and_kill(reading)
        finally:
            os._exit(0)
    os.close(reading)
    return Undertaker(writing)


def kill_group(group: int) -> None:
    """Kill a process group of ours; none of it left is fine."""
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def end_leftovers(state: State | None) -> list[str]:
    """Kill the process groups of an earlier supervisor that outlived it, and name their parts.

    A process id may long be another's, so a group is ours only if one of its processes still
    writes to the pipe that the earlier supervisor gave it.
    """
    ended = []
    for part in state.parts if state else ():
        if part.pid and part.pipe and _writes_to(part.pid, part.pipe):
            kill_group(part.pid)
            ended.append(part.name)
    return ended


def _wait_and_kill(pipe: int) -> None:
    groups: set[int] = set()
    with open(pipe) as lines:
        for line in lines:
            group = int(line[1:])
            if line[0] == "+":
                groups.add(group)
            else:
                groups.discard(group)
    for group in groups:
        kill_group(group)


def _writes_to(session: int, pipe: int) -> bool:
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(ProcessLookupError, PermissionError, FileNotFoundError):
            if os.getsid(int(process.name)) != session:
                continue
            for descriptor in ("1", "2"):
                found = (process / "fd" / descriptor).stat()
                if stat.S_ISFIFO(found.st_mode) and found.st_ino == pipe:
                    return True
    return False
