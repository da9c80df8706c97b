"""Keeps one part of the system running: starts it, waits until it serves, starts it again."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from infra.children import Child, Part, start_child
from infra.logs import Journal
from infra.state import PartState, Phase
from infra.undertaker import Undertaker
from schemas.errors import ConfigError

_LOG = logging.getLogger(__name__)
_ASK_EVERY_S = 0.1
_WORDS_MOST = 200
_TRIES = 5
"""Deaths after which a part that was never ready is given up."""
CONFIGURATION = 2
"""The exit code of a process that an operator must help."""


@dataclass(frozen=True)
class Backoff:
    """How long to wait before something that died is started again.

    Args:
        first_s: The wait after the first death; doubled at each further one.
        most_s: The longest wait; having served that long makes the next death the first.

    >>> Backoff(first_s=0.5, most_s=30).wait_s(deaths=3)
    2.0
    """

    first_s: float
    most_s: float

    def wait_s(self, deaths: int) -> float:
        """Return the wait after so many deaths in a row, in seconds."""
        return min(self.most_s, self.first_s * 2.0 ** min(deaths - 1, 60))


class Keeper:
    """Keeps one part running until told to stop.

    Args:
        part: What to run.
        journal: Opens the log of the part of that name.
        undertaker: Hears of every process group.
        backoff: How long to wait after a death.
        changed: Called after every change of :attr:`state`.
    """

    def __init__(
        self,
        part: Part,
        journal: Callable[[str], Journal],
        undertaker: Undertaker,
        backoff: Backoff,
        changed: Callable[[], None],
    ) -> None:
        self.state = PartState(name=part.name, since_at=datetime.now(UTC))
        self._part = part
        self._journal = journal
        self._undertaker = undertaker
        self._backoff = backoff
        self._changed = changed
        self._stopping = asyncio.Event()
        self._ready = asyncio.Event()
        self._child: Child | None = None
        self._served_s = 0.0

    async def run(self) -> None:
        """Run the part, over and over, until :meth:`stop`.

        Raises:
            ConfigError: If, before it has ever been ready, it cannot be prepared or started, ends
                with the exit code of a wrong configuration, or dies again and again.
        """
        deaths = 0
        while not self._stopping.is_set():
            started = time.monotonic()
            try:
                why = await self._live()
            except ConfigError as error:
                if not self._ready.is_set():
                    self._become(Phase.FAILED, detail=str(error))
                    raise
                why = str(error)
            if self._stopping.is_set():
                break
            ran_s = time.monotonic() - started
            deaths = 1 if self._served_s > self._backoff.most_s else deaths + 1
            if deaths >= _TRIES and not self._ready.is_set():
                self._become(Phase.FAILED, detail=why)
                raise ConfigError(f"{self._part.name} cannot start: {why}")
            wait_s = self._backoff.wait_s(deaths)
            _LOG.warning(
                "%s ended after %.1f s (%s) and is started again in %.1f s",
                *(self._part.name, ran_s, why, wait_s),
            )
            self._become(Phase.BACKOFF, restarts=self.state.restarts + 1, detail=why)
            await _wait(self._stopping, wait_s)
        self._become(Phase.STOPPED)

    async def ready(self) -> None:
        """Wait until the part has been ready once."""
        await self._ready.wait()

    def stop(self) -> None:
        """Ask the part to finish what it holds; :meth:`run` returns once it has."""
        self._stopping.set()
        if self._child:
            self._become(Phase.DRAINING, self._child)
            self._child.ask_to_end()

    def kill(self) -> None:
        """End the part at once; :meth:`run` returns."""
        self._stopping.set()
        if self._child:
            self._child.kill()

    async def _live(self) -> str:
        """Run the part once, from start to end, and return how it ended.

        Raises:
            ConfigError: If it cannot be prepared or started, or says that it is configured wrongly.
        """
        self._become(Phase.PREPARING)
        self._served_s = 0.0
        await asyncio.to_thread(self._part.prepare)
        journal = self._journal(self._part.name)
        child = await start_child(self._part, journal, self._undertaker)
        self._child = child
        self._become(Phase.STARTING, child)
        if self._stopping.is_set():
            child.ask_to_end()
        asking = asyncio.create_task(self._ask(child))
        try:
            code = await child.ended()
        finally:
            self._child = None
            if asking.done():
                self._served_s = time.monotonic() - asking.result()
            asking.cancel()
            await child.bury(self._undertaker)
        if code == CONFIGURATION:
            raise ConfigError(f"{self._part.name} cannot start: {journal.last_message}")
        if code < 0:
            return f"signal {-code}"
        return f"exit {code}: {journal.last_message[:_WORDS_MOST]}" if code else "exit 0"

    async def _ask(self, child: Child) -> float:
        """Ask until the part is ready; return when it was."""
        while not await asyncio.to_thread(self._part.is_ready):  # noqa: ASYNC110 - it rings no bell
            await asyncio.sleep(_ASK_EVERY_S)
        if not self._stopping.is_set():
            self._ready.set()
            self._become(Phase.READY, child)
        return time.monotonic()

    def _become(
        self,
        phase: Phase,
        child: Child | None = None,
        restarts: int | None = None,
        detail: str = "",
    ) -> None:
        self.state = PartState(
            name=self._part.name,
            phase=phase,
            pid=child.pid if child else None,
            pipe=child.pipe if child else None,
            restarts=self.state.restarts if restarts is None else restarts,
            since_at=datetime.now(UTC),
            detail=detail,
        )
        self._changed()


async def _wait(event: asyncio.Event, most_s: float) -> None:
    try:
        await asyncio.wait_for(event.wait(), most_s)
    except TimeoutError:
        return
