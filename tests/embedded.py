"""Real servers for tests: on free ports, below a temporary folder, gone with the tests."""

from __future__ import annotations

import ctypes
import os
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
    """Return a port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


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
