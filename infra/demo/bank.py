"""A bank's traffic with planned mishaps, from the warm-up to the last alert."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from infra.demo.asking import Asking
from infra.demo.episodes import GRACE, judge
from infra.demo.report import Played
from infra.demo.slowing import slowed
from infra.demo.traffic import PHASES, WARMUP, Ask, Pace, Phase, paced, plan, warmup
from schemas.errors import PipelineError
from schemas.requests import CompletionRequested, Sampling

_AT_ONCE = 8
"""How many requests the warm-up has in flight."""
_WARMUP_S = 120.0
_LEARNED = 210
"""Answers after which the monitors know what is usual; they want 200."""
_LEARNING_S = 60.0
_LOOK_EVERY_S = 0.25


class Bank:
    """Asks what a bank's customers ask.

    Args:
        asking: Sends it.
        deployment: Who is asked.
        max_tokens: The longest answer.
        wanted: How many requests it shall be, if the system can take them.
        seed: The same seed, the same customers.
        span_s: How long it is to last.
        workers: The sessions of the workers that can be slowed down; none if they are elsewhere.
        patience_s: How long the last answers are waited for.

    Attributes:
        pace: How many requests it came to be, and how many a second; None before the warm-up.
    """

    def __init__(
        self,
        asking: Asking,
        *,
        deployment: str,
        max_tokens: int,
        wanted: int,
        seed: int,
        span_s: float,
        workers: Sequence[int],
        patience_s: float,
    ) -> None:
        self.pace: Pace | None = None
        self._asking = asking
        self._deployment = deployment
        self._sampling = Sampling(max_tokens=max_tokens)
        self._wanted = wanted
        self._seed = seed
        self._span_s = span_s
        self._workers = workers
        self._patience_s = patience_s
        self._skipped: dict[str, str] = {}

    async def play(self) -> Played:
        """Play every phase and wait for the last answers and alerts; stop early if interrupted.

        Raises:
            PipelineError: If the warm-up gets no answers.
            LogUnavailable: If Kafka does not answer.
        """
        progress, asking = self._asking.progress, self._asking
        capacity_per_s = await self._warm_up()
        self.pace = paced(self._wanted, capacity_per_s, self._span_s)
        asks = plan(self.pace, self._seed)
        progress.planned = sum(len(messages) for messages in asks.values())
        progress.notes.append(
            f"warm-up: {capacity_per_s:.1f} answers/s, "
            f"median {progress.stretches[0].median_s:.2f} s; "
            f"{progress.planned} requests at {self.pace.per_s:.1f}/s"
        )
        for phase in PHASES:
            if asking.interrupted.is_set():
                break
            if phase.slow and not self._workers:
                self._skipped[phase.name] = "the workers are not on this machine"
                progress.notes.append(f"{phase.title}: skipped, {self._skipped[phase.name]}")
                continue
            messages = asks[phase.name][WARMUP if phase is PHASES[0] else 0 :]
            async with self._conditions(phase):
                await self._send(phase, messages)
            if phase is PHASES[0]:
                await asking.settle(_LEARNING_S, left=max(0, progress.sent - _LEARNED))
        await asking.settle(self._patience_s)
        await self._last_alerts()
        judgement = judge(progress.windows(), progress.raised)
        return Played(judgement, progress.stretches, self._skipped)

    async def _warm_up(self) -> float:
        """Send the first requests as fast as answers come; return how many that were a second."""
        asking = self._asking
        stretch = asking.progress.begin("warm-up", "warm-up", WARMUP)
        began = time.monotonic()
        for text in warmup(self._seed):
            if asking.interrupted.is_set():
                break
            await asking.ask(stretch, self._request(text))
            if not await asking.settle(_WARMUP_S, left=_AT_ONCE - 1):
                raise PipelineError(f"no answer came within {_WARMUP_S:.0f} s; see the logs")
        await asking.settle(_WARMUP_S)
        return stretch.answered / (time.monotonic() - began)

    async def _send(self, phase: Phase, messages: Sequence[Ask]) -> None:
        loop, asking = asyncio.get_running_loop(), self._asking
        stretch = asking.progress.begin(phase.name, phase.title, len(messages))
        due_s = loop.time()
        for message in messages:
            due_s += message.after_s
            await asking.pause(due_s - loop.time())
            if asking.interrupted.is_set():
                return
            await asking.ask(stretch, self._request(message.text))

    @asynccontextmanager
    async def _conditions(self, phase: Phase) -> AsyncIterator[None]:
        if not phase.slow:
            yield
            return
        async with slowed(self._workers, self._asking.progress.stretches[0].median_s):
            yield

    async def _last_alerts(self) -> None:
        """Give the alerts of the last episode their time."""
        progress, until = self._asking.progress, time.monotonic() + GRACE.total_seconds()
        while not self._asking.interrupted.is_set() and time.monotonic() < until:
            if judge(progress.windows(), progress.raised).passed:
                return
            await asyncio.sleep(_LOOK_EVERY_S)

    def _request(self, text: str) -> CompletionRequested:
        return CompletionRequested(
            request_id="unnamed", prompt=text, deployment=self._deployment, sampling=self._sampling
        )
