"""Lets processes compute for a part of the time only; run by :mod:`infra.demo.slowing`.

It is a process of its own so that nothing stays stopped, whatever becomes of the demo: it lets
everything go on once its standard input closes, at SIGTERM, and after :data:`_MOST_S`. Each line of
the input says for how many seconds to stop and for how many to let go.
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

_MOST_S = 180.0
_COLUMNS = 4096


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


def let_go(sessions: Iterable[int]) -> None:
    """Let everything in ``sessions`` run."""
    for session in sessions:
        _send(signal.SIGCONT, (session, *computing(session)))


def _send(number: signal.Signals, processes: Iterable[int]) -> None:
    for pid in processes:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


class _Orders:
    """What standard input says last."""

    stop_s = run_s = 0.1
    ended = False

    def wait(self, most_s: float) -> None:
        """Wait, taking in new orders; no longer once the input has closed."""
        until = time.monotonic() + most_s
        while not self.ended and (left_s := until - time.monotonic()) > 0:
            if select.select([0], [], [], left_s)[0]:
                self._take(os.read(0, _COLUMNS))

    def _take(self, said: bytes) -> None:
        self.ended = not said
        if said:
            self.stop_s, self.run_s = (float(word) for word in said.splitlines()[-1].split())


def main(sessions: list[int]) -> None:
    """Stop and continue, over and over, until told to end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    orders, until = _Orders(), time.monotonic() + _MOST_S
    try:
        while not orders.ended and time.monotonic() < until:
            halted = [pid for session in sessions for pid in computing(session)]
            _send(signal.SIGSTOP, halted)
            orders.wait(orders.stop_s)
            _send(signal.SIGCONT, halted)
            orders.wait(orders.run_s)
    finally:
        let_go(sessions)


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]])
