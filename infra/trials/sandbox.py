"""A whole system of its own: on free ports, below a folder that is thrown away afterwards."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from infra.datafolder import DataFolder
from infra.registry import DEFAULTS
from infra.settings import Ports, Settings
from infra.state import Phase, State, read_state
from schemas.errors import ConfigError

_FAILED_LOGS = Path(tempfile.gettempdir()) / "tidegate-failed"


class Sandbox:
    """A system that nobody else uses, run by the same command line as any other.

    Args:
        folder: Where everything of it lies.
        settings: Its settings, which the file below that folder says as well.
        config: That file.
    """

    def __init__(self, folder: Path, settings: Settings, config: Path) -> None:
        self.folder = folder
        self.settings = settings
        self.config = config

    def command(self, *words: str) -> list[str]:
        """Return the command line ``tidegate WORDS`` on this system."""
        return [sys.executable, "-m", "infra.cli", "--config", str(self.config), *words]

    def up(self) -> None:
        """Start everything and return when it is ready.

        Raises:
            ConfigError: Saying why, if it does not come up.
        """
        self._run("up", "--wait")

    def down(self) -> None:
        """Let everything drain and end."""
        self._run("down")

    def state(self) -> State:
        """Return what the supervisor last said.

        Raises:
            ConfigError: If it never said anything.
        """
        state = read_state(DataFolder(self.settings.data).run)
        if state is None:
            raise ConfigError("nothing runs there", file=str(self.settings.data))
        return state

    def pid(self, part: str) -> int | None:
        """Return the process of a part that is ready, or of the ``supervisor``; None if it is not.

        A supervisor counts while it holds the data folder and all its parts are ready.
        """
        state = self.state()
        if part == "supervisor":
            holder = DataFolder(self.settings.data).holder()
            ready = state.phase is Phase.READY and holder == state.pid
            return state.pid if ready else None
        return next((p.pid for p in state.parts if p.name == part and p.phase is Phase.READY), None)

    def processes(self) -> dict[int, str]:
        """Return what lives of this system: command lines by process.

        Each server and role names a file below the folder on its command line, and what it started
        is in its session.
        """
        living = dict(_processes())
        ours = {pid for pid, (_, words) in living.items() if str(self.folder) in words}
        sessions = {living[pid][0] for pid in ours} - {os.getsid(0)}
        return {
            pid: words
            for pid, (session, words) in living.items()
            if pid in ours or session in sessions
        }

    def environment(self) -> dict[str, str]:
        """Return this process's variables without settings, which would lead to another system."""
        return {key: v for key, v in os.environ.items() if not key.upper().startswith("TIDEGATE_")}

    def _run(self, word: str, *options: str) -> None:
        done = subprocess.run(
            self.command(word, *options),
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise ConfigError(f"`tidegate {word}` failed: {done.stderr.strip()}")


@contextmanager
def sandbox(deployment: str, cache: Path, keep_logs: bool = False) -> Iterator[Sandbox]:
    """Set a system up inside the block, without starting it; nothing of it is left behind it.

    Args:
        deployment: The YAML of the deployment ``default``.
        cache: Where the jars and converted models are.
        keep_logs: Whether its logs are kept, below the folder for temporary files.
    """
    folder = Path(tempfile.mkdtemp(prefix="tidegate-sandbox-"))
    try:
        made = _furnished(folder, deployment, cache)
        try:
            yield made
        finally:
            made.down()
            for pid in made.processes():
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
    finally:
        if keep_logs:
            shutil.rmtree(_FAILED_LOGS, ignore_errors=True)
            shutil.copytree(folder / "data" / "logs", _FAILED_LOGS, dirs_exist_ok=True)
        shutil.rmtree(folder, ignore_errors=True)


def _furnished(folder: Path, deployment: str, cache: Path) -> Sandbox:
    registry = folder / "registry"
    for name in ("policies", "alerts"):
        shutil.copytree(DEFAULTS / name, registry / name)
    (registry / "deployments").mkdir()
    (registry / "deployments" / "default.yaml").write_text(deployment)
    kafka, controller, http, native = free_ports(4)
    ports = Ports(
        kafka=kafka, kafka_controller=controller, clickhouse_http=http, clickhouse_native=native
    )
    config = folder / "tidegate.toml"
    data = folder / "data"
    settings = Settings(data=data, registry=registry, cache=cache, ports=ports, config=config)
    lines = [f'data = "{data}"', f'registry = "{registry}"', f'cache = "{cache}"', "[ports]"]
    lines += [f"{name} = {port}" for name, port in ports.model_dump().items()]
    config.write_text("\n".join(lines) + "\n")
    return Sandbox(folder, settings, config)


def _processes() -> Iterator[tuple[int, tuple[int, str]]]:
    """Yield every other process that lives, with its session and its command line."""
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            pid = int(entry.name)
            words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if words and pid != os.getpid():  # the dead have no command line
                yield pid, (os.getsid(pid), words.strip())


def free_ports(count: int) -> list[int]:
    """Return ports of this machine that nothing listens on now, all different."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()
