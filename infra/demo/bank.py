"""A bank's traffic with planned mishaps, from the warm-up to the last alert."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext

from infra.demo.asking import Asking
from infra.demo.episodes import EXPECTED, GRACE, judge
from infra.demo.progress import Stretch
from infra.demo.report import WARM_UP, Played
from infra.demo.slowing import slowed
from infra.demo.traffic import (
    NORMAL,
    PHASES,
    PRIMED,
    WARMUP,
    Ask,
    Pace,
    Phase,
    channel,
    further,
    paced,
    per_s,
    plan,
    warmup,
)
from schemas.errors import PipelineError
from schemas.requests import CompletionRequested, Sampling

_AT_ONCE = 4
"""How many requests the warm-up has in flight."""
_WARMUP_S = 120.0
_LEARNED = 210
"""Answers after which the monitors know what is usual; they want 200."""
_LEARNING_S = 60.0
_OVER_S = 45.0
"""How long an episode is put off at most while the alert it is to raise is open."""
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
        workers: Returns the sessions of the workers that can be slowed down; none if elsewhere.
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
        workers: Callable[[], Sequence[int]],
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
        usual_s = progress.stretches[-1].median_s
        self.pace = paced(self._wanted, capacity_per_s, self._span_s)
        asks = plan(self.pace, self._seed)
        progress.planned = sum(len(messages) for messages in asks.values())
        progress.notes.append(
            f"warm-up: {capacity_per_s:.1f} answers/s, median {usual_s:.2f} s; "
            f"{progress.planned} requests at {self.pace.per_s:.1f}/s"
        )
        for phase in PHASES:
            if not asking.interrupted.is_set():
                await self._phase(phase, asks[phase.name])
        await asking.settle(self._patience_s)
        await self._last_alerts()
        judgement = judge(progress.windows(), progress.raised)
        return Played(judgement, progress.stretches, self._skipped)

    async def _phase(self, phase: Phase, messages: Sequence[Ask]) -> None:
        progress, workers = self._asking.progress, self._workers()
        if phase.slow and not workers:
            self._skipped[phase.name] = "the workers are not on this machine"
            progress.notes.append(f"{phase.title}: skipped, {self._skipped[phase.name]}")
            return
        if phase is NORMAL:
            messages = messages[WARMUP:]
        stretch = progress.begin(phase.name, phase.title, len(messages))
        # What is usual: in the warm-up, and to the monitors, which saw the ordinary traffic, too.
        usual_s = max(s.median_s for s in progress.stretches if s.name in (WARM_UP, NORMAL.name))

        def taking_s() -> float:
            # By Little's law what waits tells how long it will, before answers can; their median is
            # about half of that mean.
            per_second = per_s(phase, self.pace) if self.pace else 1.0
            waiting_s = (stretch.sent - stretch.answered) / per_second
            return max(stretch.recent_s or 0.0, waiting_s / 2)

        async with slowed(workers, usual_s, taking_s) if phase.slow else nullcontext():
            await self._send(stretch, messages)
        if phase is NORMAL:
            await self._asking.settle(_LEARNING_S, left=max(0, progress.sent - _LEARNED))
        await self._send_until_over(phase, stretch)

    async def _send_until_over(self, phase: Phase, stretch: Stretch) -> None:
        """Go on with ordinary traffic while the alert that the next episode is to raise is open.

        It may be so from an earlier run, or because the machine was busy with something else.
        """
        following = PHASES[PHASES.index(phase) + 1 :][:1]
        expected = EXPECTED.get(following[0].name) if following else None
        until = time.monotonic() + _OVER_S
        asks = further(phase, self.pace, self._seed) if self.pace else iter(())
        while expected and any(map(expected.is_met_by, self._asking.progress.open.values())):
            if time.monotonic() > until or self._asking.interrupted.is_set():
                return
            stretch.planned += 1
            self._asking.progress.planned += 1
            await self._send(stretch, [next(asks)])

    async def _warm_up(self) -> float:
        """Send the first requests as fast as answers come; return how many came a second."""
        texts = warmup(self._seed)
        await self._in_turn("first", "first requests", texts[:PRIMED])
        began = time.monotonic()
        await self._in_turn(WARM_UP, "warm-up", texts[PRIMED:])
        answered = self._asking.progress.stretches[-1].answered
        return max(answered, 1) / (time.monotonic() - began)

    async def _in_turn(self, name: str, title: str, texts: Sequence[str]) -> None:
        """Keep a few requests in flight until all are answered."""
        asking = self._asking
        stretch = asking.progress.begin(name, title, len(texts))
        for text in texts:
            if asking.interrupted.is_set():
                break
            await asking.ask(stretch, self._request(text, channel(text)))
            if not await asking.settle(_WARMUP_S, left=_AT_ONCE - 1):
                raise PipelineError(f"no answer came within {_WARMUP_S:.0f} s; see the logs")
        await asking.settle(_WARMUP_S)

    async def _send(self, stretch: Stretch, messages: Sequence[Ask]) -> None:
        """Send messages at their times, however long answers take."""
        loop, asking = asyncio.get_running_loop(), self._asking
        due_s = loop.time()
        for message in messages:
            due_s += message.after_s
            await asking.pause(due_s - loop.time())
            if asking.interrupted.is_set():
                return
            await asking.ask(
                stretch, self._request(message.text, channel(message.text, message.kind))
            )

    async def _last_alerts(self) -> None:
        """Give the alerts of the last episode their time."""
        progress, until = self._asking.progress, time.monotonic() + GRACE.total_seconds()
        while not self._asking.interrupted.is_set() and time.monotonic() < until:
            if judge(progress.windows(), progress.raised).passed:
                return
            await asyncio.sleep(_LOOK_EVERY_S)

    def _request(self, text: str, came_by: str) -> CompletionRequested:
        return CompletionRequested(
            request_id="unnamed",
            prompt=text,
            deployment=self._deployment,
            sampling=self._sampling,
            metadata={"channel": came_by},
        )
