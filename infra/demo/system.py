"""The system that the demo talks to: the one that runs, or one that it starts and stops."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console

from infra.datafolder import DataFolder
from infra.registry import DEFAULTS
from infra.roles import checked_registry
from infra.settings import Settings
from infra.starting import start, until_ended, whereabouts
from infra.state import Phase, read_state
from infra.status_table import display
from schemas.errors import ConfigError
from schemas.registry import Deployment, Registry
from streams.pools import LiveWorkers

_BANK = "bank"
_LOOK_EVERY_S = 0.5


@dataclass(frozen=True)
class Target:
    """Whom the demo asks.

    Args:
        registry: What the system serves, as this machine knows it.
        deployment: The deployment that is asked.
        stays: Whether the system goes on when the demo has ended.
    """

    registry: Registry
    deployment: Deployment
    stays: bool

    @property
    def pools(self) -> list[str]:
        """Every pool there is; each has a topic of its own."""
        return sorted(self.registry.pools())


@contextmanager
def system(settings: Settings, console: Console, keep: bool) -> Iterator[Target]:
    """Run a system inside the block, unless one runs already.

    Args:
        settings: All of them.
        console: Where to say so.
        keep: Whether a system that was started here goes on after the block.

    Raises:
        ConfigError: If it cannot be started, or the one that runs does not become ready.
        LogUnavailable: If Kafka is elsewhere and does not answer.
    """
    if DataFolder(settings.data).holder() is not None:
        _wait_ready(settings)
        console.print(f"Using the system that runs on {settings.data}.", highlight=False)
        yield _target(settings, stays=True)
    elif settings.kafka is not None and _runs_elsewhere(settings):
        console.print(f"Using the system that runs on Kafka at {settings.kafka}.", highlight=False)
        yield _target(settings, stays=True)
    else:
        with _own_signals():
            daemon = start(settings, None, console, attached=not keep)
            console.print(whereabouts(settings), highlight=False, soft_wrap=True)
            _interrupt_on_signals()
            try:
                yield _target(settings, stays=keep)
            finally:
                if not keep:
                    daemon.stop()
                    with display(console, daemon.state()) as shown:
                        until_ended(daemon, shown)
                    daemon.result()


@contextmanager
def _own_signals() -> Iterator[None]:
    """Undo at the end of the block what was done in it to the handling of signals."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt_on_signals() -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupt)


def _target(settings: Settings, *, stays: bool) -> Target:
    here = any((settings.registry / "deployments").glob("*.yaml"))
    registry = checked_registry(settings.registry if here else DEFAULTS)
    found = registry.deployments
    deployment = found.get(_BANK) or found.get("default") or next(iter(found.values()))
    return Target(registry, deployment, stays)


def _wait_ready(settings: Settings) -> None:
    folder = DataFolder(settings.data)
    deadline = time.monotonic() + settings.supervisor.ready_s
    while (state := read_state(folder.run)) is None or state.phase is not Phase.READY:
        if folder.holder() is None or time.monotonic() > deadline:
            raise ConfigError("the system there does not become ready", file=str(folder.path))
        time.sleep(_LOOK_EVERY_S)


def _runs_elsewhere(settings: Settings) -> bool:
    """Return whether workers on other machines serve the pools that are to be asked."""

    async def live() -> int:
        workers = LiveWorkers(settings.connection())
        try:
            return sum([await workers.count(pool.name) for pool in pools])
        finally:
            await workers.close()

    pools = _target(settings, stays=True).deployment.pools
    return asyncio.run(live()) > 0
