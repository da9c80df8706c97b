"""Puts a run's requests on Kafka and takes in how each of them ends."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count

from infra.demo.progress import Progress, Stretch
from schemas.requests import CompletionRequested
from streams.client import Answer, Client

_LOOK_EVERY_S = 0.5
_INTERRUPTED_S = 30.0
"""How long answers are still waited for once no more requests are wanted."""


class Asking:
    """Sends requests under ids of their own and counts how they end.

    Args:
        client: A client that was entered.
        progress: Where to count.
        interrupted: Set once somebody wants no more requests to be sent.
        run: What the ids begin with.
    """

    def __init__(
        self, client: Client, progress: Progress, interrupted: asyncio.Event, run: str
    ) -> None:
        self.progress = progress
        self.interrupted = interrupted
        self._client = client
        self._run = run
        self._numbers = count(1)
        self._waiting: set[asyncio.Future[Answer]] = set()

    async def ask(self, stretch: Stretch, request: CompletionRequested) -> None:
        """Send a request as part of ``stretch``, once the client has room for it.

        Raises:
            RequestTooLarge: If it does not fit the topic.
            LogUnavailable: If Kafka does not answer.
        """
        own = {
            "request_id": f"{self._run}{next(self._numbers):05d}",
            "metadata": {**request.metadata, "run": self._run.rstrip("-"), "phase": stretch.name},
        }
        request = request.model_copy(update=own)
        answer = await self._client.submit(request)
        stretch.sent += 1
        self._waiting.add(answer)

        def ended(done: asyncio.Future[Answer]) -> None:
            self._waiting.discard(done)
            if done.cancelled():
                return
            if error := done.exception():
                self.progress.notes.append(f"{request.request_id}: {error}")
            else:
                self.progress.ended(stretch, done.result())

        answer.add_done_callback(ended)

    async def pause(self, seconds: float) -> None:
        """Wait, but no longer than until :attr:`interrupted`."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.interrupted.wait(), max(0.0, seconds))

    async def settle(self, most_s: float, left: int = 0) -> bool:
        """Wait until at most ``left`` requests have not ended, for ``most_s`` seconds at most.

        Returns:
            Whether it came to that.
        """
        loop = asyncio.get_running_loop()
        began = loop.time()
        while len(self._waiting) > left:
            patience_s = min(most_s, _INTERRUPTED_S) if self.interrupted.is_set() else most_s
            if loop.time() > began + patience_s:
                break
            await asyncio.wait(
                self._waiting, timeout=_LOOK_EVERY_S, return_when=asyncio.FIRST_COMPLETED
            )
        return len(self._waiting) <= left


@contextmanager
def interruptible() -> Iterator[asyncio.Event]:
    """Yield an event that Ctrl-C or SIGTERM sets; a second one cancels what runs in the block."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    interrupted = asyncio.Event()

    def interrupt() -> None:
        if interrupted.is_set() and task:
            task.cancel()
        interrupted.set()

    numbers = (signal.SIGINT, signal.SIGTERM)
    for number in numbers:
        loop.add_signal_handler(number, interrupt)
    try:
        yield interrupted
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
