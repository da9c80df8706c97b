"""One running process of the system: started as a group of its own, watched, and ended whole."""

from __future__ import annotations

import asyncio
import ctypes
import fcntl
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from infra.logs import Journal
from infra.undertaker import Undertaker, kill_group
from schemas.errors import ConfigError

_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1
_PIPE_BYTES = 1 << 20
"""Room for a part's output while the supervisor is busy."""


def _nothing() -> None:
    return


def _no_variables() -> Mapping[str, str]:
    return {}


@dataclass(frozen=True)
class Part:
    """How to run one part of the system; what is called here is called on a thread.

    Args:
        name: Unique; names its log and ready file too.
        command: Returns the command line.
        is_ready: Returns whether it serves.
        variables: Returns the environment variables it needs besides ours.
        prepare: Does what must be done before every start.
        nice: How far it gives way to others, 0 to 19.
    """

    name: str
    command: Callable[[], Sequence[str]]
    is_ready: Callable[[], bool]
    variables: Callable[[], Mapping[str, str]] = field(default=_no_variables)
    prepare: Callable[[], None] = field(default=_nothing)
    nice: int = 0


def end_with_parent(parent: int, number: signal.Signals) -> None:
    """Have the kernel send this process the signal ``number`` once the process ``parent`` is dead.

    Holds for the time after exec as well.
    """
    _LIBC.prctl(_PR_SET_PDEATHSIG, number)
    if os.getppid() != parent:
        os._exit(1)


class Child:
    """A started part: a session and process group of its own that dies with the supervisor.

    Args:
        pid: The process that leads the group.
        pipe: The inode of the pipe that takes the group's output.
    """

    def __init__(self, process: asyncio.subprocess.Process, pipe: int, ear: asyncio.Task[None]):
        self.pid = process.pid
        self.pipe = pipe
        self._process = process
        self._ear = ear

    async def ended(self) -> int:
        """Wait for the leader's end and return its exit code; negative if a signal ended it."""
        return await self._process.wait()

    def ask_to_end(self) -> None:
        """Ask the leader to finish what it holds and to end."""
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the whole group at once."""
        kill_group(self.pid)

    async def bury(self, undertaker: Undertaker) -> None:
        """Kill whatever of the group is left and close its log."""
        kill_group(self.pid)
        await self._process.wait()
        undertaker.buried(self.pid)
        # What has left the group may hold the pipe open for ever; its output no longer matters.
        with suppress(TimeoutError):
            await asyncio.wait_for(self._ear, timeout=1)


async def start_child(part: Part, journal: Journal, undertaker: Undertaker) -> Child:
    """Start ``part``; its output goes to ``journal``, which is closed at its end.

    Raises:
        ConfigError: If the program cannot be run.
    """
    command = await asyncio.to_thread(part.command)
    variables = await asyncio.to_thread(part.variables)
    supervisor = os.getpid()

    def before_exec() -> None:
        end_with_parent(supervisor, signal.SIGKILL)
        os.nice(part.nice)

    reading, writing = os.pipe()
    inode = os.fstat(writing).st_ino
    with suppress(PermissionError):
        fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=writing,
            stderr=writing,
            # A folder of the user's called like one of our packages must not be taken for it.
            env={**os.environ, "PYTHONSAFEPATH": "1", **variables},
            start_new_session=True,
            preexec_fn=before_exec,
        )
    except OSError as error:
        os.close(reading)
        journal.close()
        raise ConfigError(f"cannot start {part.name}: {error}") from error
    finally:
        os.close(writing)
    undertaker.born(process.pid)
    return Child(process, inode, asyncio.create_task(_listen(reading, journal)))


async def _listen(pipe: int, journal: Journal) -> None:
    """Pass output on until nobody can write any more."""
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(pipe, "rb", buffering=0)
    )
    try:
        while chunk := await reader.read(1 << 16):
            journal.write(chunk)
    finally:
        transport.close()
        journal.close()
