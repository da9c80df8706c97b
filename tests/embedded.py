"""Real servers for tests: on free ports, below a temporary folder, gone with the tests."""

from __future__ import annotations

import ctypes
import os
import random
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from schemas.errors import PipelineError

CACHE = Path(os.environ.get("TIDEGATE_CACHE", "~/.cache/tidegate")).expanduser()
_PR_SET_PDEATHSIG = 1

# Each process of tests has ports of its own, below those that Linux gives to outgoing connections.
_PORTS_EACH = 5_000
_PROCESS = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 4
_FIRST_PORT = 12_000 + _PROCESS * _PORTS_EACH
_PORTS = iter(random.sample(range(_FIRST_PORT, _FIRST_PORT + _PORTS_EACH), _PORTS_EACH))


class Server(Protocol):
    """What the embedded servers have in common."""

    def prepare(self) -> None:
        """Make what the server needs to start."""

    def command(self) -> list[str]:
        """Return its command line."""

    def environment(self) -> dict[str, str]:
        """Return its variables."""

    def wait_ready(self, timeout_s: float = 60.0) -> None:
        """Return once it serves."""


def free_port() -> int:
    """Return a port that nothing listens on now, and that was not returned before."""
    return next(port for port in _PORTS if _is_free(port))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


@contextmanager
def running(server: Server) -> Iterator[subprocess.Popen[bytes]]:
    """Run ``server`` inside the block; it dies with this process, however that ends."""
    server.prepare()
    process = start(server)
    try:
        yield process
    finally:
        stop(process)


def start(server: Server) -> subprocess.Popen[bytes]:
    """Start a prepared server and return its process once it is ready."""
    process = subprocess.Popen(
        server.command(),
        env={**os.environ, **server.environment()},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=_die_with_parent,
    )
    try:
        server.wait_ready(120)
    except PipelineError:
        stop(process)
        raise
    return process


def stop(process: subprocess.Popen[bytes]) -> None:
    """End ``process`` in good order, or else by force."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
