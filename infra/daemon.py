"""The supervisor as a process of its own, and how the command line hears from it."""

from __future__ import annotations

import asyncio
import logging
import os
import select
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from infra.children import end_with_parent
from infra.datafolder import DataFolder
from infra.keeper import CONFIGURATION, Backoff
from infra.logs import Journal, log_to_journal
from infra.settings import Settings
from infra.state import State, read_state
from infra.supervisor import Patience, Plan, Supervisor
from infra.undertaker import end_leftovers, start_undertaker
from schemas.errors import ConfigError

_LOG = logging.getLogger(__name__)
_BUG = 1


class Daemon:
    """A supervisor that was started, seen from the process that started it.

    Args:
        pid: Its process.
        run: The folder it writes its state to.
        pipe: Rings at every change of that state, tells why it could not start, and closes with it.
    """

    def __init__(self, pid: int, run: Path, pipe: int) -> None:
        self.pid = pid
        self._run = run
        self._pipe = pipe
        self._told = b""

    def state(self) -> State | None:
        """Return what the supervisor last said; None before it has said anything."""
        state = read_state(self._run)
        return state if state and state.pid == self.pid else None

    def wait(self, most_s: float) -> bool:
        """Wait for a change, at most ``most_s`` seconds; return whether the supervisor lives."""
        if not select.select([self._pipe], [], [], most_s)[0]:
            return True
        chunk = os.read(self._pipe, 1 << 16)
        self._told += chunk.strip(b".")
        return bool(chunk)

    def stop(self) -> None:
        """Ask the supervisor to drain and end."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)

    def result(self) -> None:
        """Wait for the supervisor's end.

        Raises:
            ConfigError: If it ended because an operator must act.
            ChildProcessError: If it ended by a bug or a signal.
        """
        while self.wait(most_s=1.0):
            pass
        _, status = os.waitpid(self.pid, 0)
        code = os.waitstatus_to_exitcode(status)
        if code == CONFIGURATION:
            raise ConfigError(self._told.decode())
        if code != 0:
            raise ChildProcessError(f"the supervisor ended with {code}")


def start_daemon(settings: Settings, make_plan: Callable[[], Plan], attached: bool) -> Daemon:
    """Fork the supervisor; it lives in a session of its own.

    Args:
        settings: All of them.
        make_plan: Returns what to run; called in the supervisor once it holds the data folder.
        attached: Whether it ends when this process does.
    """
    folder = DataFolder(settings.data)
    parent = os.getpid()
    reading, writing = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writing)
        return Daemon(pid, folder.run, reading)
    with _Ending() as ending:
        os.setsid()
        os.close(reading)
        os.set_blocking(writing, False)
        if attached:
            end_with_parent(parent, signal.SIGTERM)
        _leave_terminal()
        try:
            _supervise(settings, folder, make_plan, writing)
        except ConfigError as error:
            with suppress(BrokenPipeError):
                os.write(writing, str(error).encode())
            ending.code = CONFIGURATION
    raise AssertionError("the forked process has ended")


def _supervise(
    settings: Settings, folder: DataFolder, make_plan: Callable[[], Plan], bell: int
) -> None:
    folder.prepare()
    with folder.held() as lock:
        undertaker = start_undertaker(lock)
        logs, times = settings.logs, settings.supervisor

        def journal(name: str) -> Journal:
            return Journal(folder.log_file(name), name, logs.file_bytes, logs.files)

        log_to_journal(journal("supervisor"), "supervisor", logs.level)
        for name in end_leftovers(read_state(folder.run)):
            _LOG.warning("%s of an earlier run was still there and is ended", name)

        def report(state: State) -> None:
            state.write(folder.run)
            with suppress(BrokenPipeError, BlockingIOError):
                os.write(bell, b".")

        backoff = Backoff(times.backoff_first_s, times.backoff_most_s)
        patience = Patience(times.ready_s, times.drain_s, backoff)
        asyncio.run(Supervisor(make_plan(), patience, journal, undertaker, report).run())


def _leave_terminal() -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    os.close(nothing)


class _Ending:
    """Ends the forked process here, whatever happens: it must not return into its parent's work."""

    code = 0

    def __enter__(self) -> _Ending:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            _LOG.critical("the supervisor ends by a bug", exc_info=error)
            self.code = _BUG
        os._exit(self.code)
