"""Keeps the whole system running: broker and store first, topics and tables, then every role."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from infra.children import Part
from infra.keeper import Backoff, Keeper
from infra.logs import Journal
from infra.state import Phase, State
from infra.undertaker import Undertaker
from schemas.errors import ConfigError, TransientError

_LOG = logging.getLogger(__name__)
_SERVERS_STOP_S = 20.0
_DRAINED_S = 5.0
"""Time for a role to end that has finished what it held, or given up on it."""
_KILLED_S = 5.0


@dataclass(frozen=True)
class Plan:
    """What the system is made of.

    Args:
        servers: The broker and the store, as far as they are ours; they run first and stop last.
        furnish: Makes topics and tables, once the servers are ready; called on a thread.
        roles: Everything that works on them.
    """

    servers: Sequence[Part]
    furnish: Callable[[], None]
    roles: Sequence[Part]


@dataclass(frozen=True)
class Patience:
    """How long the supervisor waits.

    Args:
        ready_s: For all parts of a kind to become ready, in seconds.
        drain_s: For a role to finish what it holds, in seconds.
        backoff: Before a part that died is started again.
    """

    ready_s: float
    drain_s: float
    backoff: Backoff


class Supervisor:
    """Runs a plan until SIGTERM, then lets it drain.

    Args:
        plan: What to run.
        patience: How long to wait.
        journal: Opens the log of the part of that name.
        undertaker: Ends every process group if this process is killed.
        report: Called with the new state after every change.
    """

    def __init__(
        self,
        plan: Plan,
        patience: Patience,
        journal: Callable[[str], Journal],
        undertaker: Undertaker,
        report: Callable[[State], None],
    ) -> None:
        self._plan = plan
        self._patience = patience
        self._report = report
        self._phase = Phase.STARTING
        self._error = ""
        self._started_at = datetime.now(UTC)

        def keeper(part: Part) -> Keeper:
            return Keeper(part, journal, undertaker, patience.backoff, self._changed)

        self._servers = [keeper(part) for part in plan.servers]
        self._roles = [keeper(part) for part in plan.roles]
        self._running: dict[Keeper, asyncio.Task[None]] = {}
        self._told_to_stop = asyncio.Event()
        self._told_twice = asyncio.Event()

    async def run(self) -> None:
        """Start everything, keep it running, and at SIGTERM or SIGINT stop it in order.

        A second signal stops it at once.

        Raises:
            ConfigError: If it could not be started; whatever had been is stopped again.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._hear)
        work = asyncio.create_task(self._work())
        told = asyncio.create_task(self._told_to_stop.wait())
        try:
            await asyncio.wait({work, told}, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                work.result()
        except ConfigError as error:
            _LOG.critical("%s", error)
            self._error = str(error)
            raise
        finally:
            await _cancel(work, told)
            self._become(Phase.DRAINING)
            await self._stop(self._roles, self._patience.drain_s + _DRAINED_S)
            await self._stop(self._servers, _SERVERS_STOP_S)
            self._become(Phase.FAILED if self._error else Phase.STOPPED)

    def _hear(self) -> None:
        if self._told_to_stop.is_set():
            self._told_twice.set()
        self._told_to_stop.set()

    async def _work(self) -> None:
        self._become(Phase.STARTING)
        await self._all_ready(self._servers)
        await self._furnish()
        await self._all_ready(self._roles)
        self._become(Phase.READY)
        await self._first_failure(self._running.values(), timeout_s=None)

    async def _all_ready(self, keepers: Sequence[Keeper]) -> None:
        """Start the parts and wait until each has been ready once."""
        for keeper in keepers:
            self._running[keeper] = asyncio.create_task(keeper.run())
        ready = asyncio.gather(*(keeper.ready() for keeper in keepers))
        await self._first_failure((*self._running.values(), ready), self._patience.ready_s)
        if not ready.done():
            await _cancel(ready)
            late = ", ".join(k.state.name for k in keepers if k.state.phase is not Phase.READY)
            raise ConfigError(
                f"not ready after {self._patience.ready_s:.0f} s: {late}; their logs say more"
            )

    async def _first_failure(
        self, tasks: Iterable[asyncio.Future[Any]], timeout_s: float | None
    ) -> None:
        """Wait for one of ``tasks`` to end, and raise what it raised."""
        tasks = list(tasks)
        if not tasks:
            return
        done, _ = await asyncio.wait(tasks, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()

    async def _furnish(self) -> None:
        """Make topics and tables; a server that is ready may still refuse for a moment."""
        deadline = time.monotonic() + self._patience.ready_s
        while True:
            try:
                return await asyncio.to_thread(self._plan.furnish)
            except TransientError as error:
                if time.monotonic() > deadline:
                    raise ConfigError(f"topics and tables cannot be made: {error}") from error
                _LOG.warning("topics and tables: %s", error)
                await asyncio.sleep(1)

    async def _stop(self, keepers: Sequence[Keeper], most_s: float) -> None:
        running = {keeper: self._running[keeper] for keeper in keepers if keeper in self._running}
        for keeper in running:
            keeper.stop()
        ended = asyncio.gather(*running.values(), return_exceptions=True)
        hurry = asyncio.create_task(self._told_twice.wait())
        either: set[asyncio.Future[Any]] = {ended, hurry}
        await asyncio.wait(either, timeout=most_s, return_when=asyncio.FIRST_COMPLETED)
        for keeper, task in running.items():
            if not task.done():
                _LOG.warning("%s did not end in time and is killed", keeper.state.name)
                keeper.kill()
        if not ended.done():
            await asyncio.wait({ended}, timeout=_KILLED_S)
        await _cancel(hurry, *running.values())

    def _become(self, phase: Phase) -> None:
        self._phase = phase
        self._changed()

    def _changed(self) -> None:
        self._report(
            State(
                pid=os.getpid(),
                phase=self._phase,
                started_at=self._started_at,
                parts=tuple(keeper.state for keeper in (*self._servers, *self._roles)),
                error=self._error,
            )
        )


async def _cancel(*tasks: asyncio.Future[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
