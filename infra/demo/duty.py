"""Lets processes compute for a part of the time only; run by :mod:`infra.demo.slowing`.

It is a process of its own so that nothing stays stopped, whatever becomes of the demo: it lets
everything go on once its standard input closes, at SIGTERM, and after the time it is given.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path


def computing(session: int) -> list[int]:
    """Return the processes of a worker's session that compute.

    An engine with processes of its own computes there; its leader, which talks to Kafka, need not
    be stopped then.
    """
    members = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(ProcessLookupError, PermissionError):
            if os.getsid(int(process.name)) == session:
                members.append(int(process.name))
    return [pid for pid in members if pid != session] or members


def send(number: signal.Signals, processes: Iterable[int]) -> None:
    """Send a signal to those of ``processes`` that still are there."""
    for pid in processes:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def let_go(sessions: Iterable[int]) -> None:
    """Let everything in ``sessions`` run."""
    for session in sessions:
        send(signal.SIGCONT, (session, *computing(session)))


def _told_to_end(wait_s: float) -> bool:
    """Wait; return whether standard input has been closed meanwhile."""
    return bool(select.select([sys.stdin], [], [], wait_s)[0])


def main(stop_s: float, run_s: float, most_s: float, sessions: list[int]) -> None:
    """Stop and continue, over and over, until told to end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    deadline = time.monotonic() + most_s
    try:
        while time.monotonic() < deadline:
            for session in sessions:
                send(signal.SIGSTOP, computing(session))
            if _told_to_end(stop_s):
                return
            let_go(sessions)
            if _told_to_end(run_s):
                return
    finally:
        let_go(sessions)


if __name__ == "__main__":
    stop, run, most, *workers = sys.argv[1:]
    main(float(stop), float(run), float(most), [int(worker) for worker in workers])
