"""Slows the workers of this machine down, for as long as a block lasts."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress

from infra.datafolder import DataFolder
from infra.demo.duty import let_go
from infra.state import read_state

CYCLE_S = 1.2
"""Workers stand still once in so long; far less than the 10 s after which Kafka gives them up."""
FIRST_SHARE, LEAST_SHARE, MOST_SHARE = 0.12, 0.02, 0.5
SLOW_ENOUGH, TOO_SLOW = 9.0, 18.0
"""How many times as long as usual answers are to take: most of them at least four times."""
_LOOK_EVERY_S = 2.0
_END_S = 5.0


def worker_sessions(folder: DataFolder) -> list[int]:
    """Return the sessions of the workers that run on ``folder``; none if they are elsewhere."""
    state = read_state(folder.run) if folder.holder() is not None else None
    parts = state.parts if state else ()
    return [part.pid for part in parts if part.pid and part.name.startswith("worker-")]


def next_share(share: float, factor: float) -> float:
    """Return the part of the time to leave to workers, of which they had ``share`` before.

    Args:
        share: That part, 0 to 1.
        factor: How many times as long as usual their answers take with it.

    >>> next_share(0.25, factor=3.0), next_share(0.25, factor=10.0), next_share(0.25, factor=40.0)
    (0.15, 0.25, 0.5)
    """
    if factor < SLOW_ENOUGH:
        return max(LEAST_SHARE, 0.6 * share)
    return min(MOST_SHARE, 2 * share) if factor > TOO_SLOW else share


@asynccontextmanager
async def slowed(
    sessions: Sequence[int], usual_s: float, taking_s: Callable[[], float]
) -> AsyncIterator[None]:
    """Let ``sessions`` compute for a part of the time only, inside the block.

    How large a part that is follows from how slow answers become.

    Args:
        sessions: Those of :func:`worker_sessions`.
        usual_s: What an answer usually takes, in seconds.
        taking_s: Returns what answers take now.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "infra.demo.duty", *map(str, sessions)),
        stdin=PIPE,
        stdout=DEVNULL,
        start_new_session=True,
    )
    holding = asyncio.create_task(_hold(process, usual_s, taking_s))
    try:
        yield
    finally:
        holding.cancel()
        await _end(process, sessions)


async def _hold(process: Process, usual_s: float, taking_s: Callable[[], float]) -> None:
    """Tell the process how to go about it, over and over."""
    assert process.stdin is not None
    share = FIRST_SHARE
    while True:
        stop_s, run_s = CYCLE_S * (1 - share), CYCLE_S * share
        process.stdin.write(f"{stop_s:.3f} {run_s:.3f}\n".encode())
        # No answer can have taken long before so much time has passed.
        await asyncio.sleep(max(_LOOK_EVERY_S, SLOW_ENOUGH * usual_s))
        share = next_share(share, taking_s() / max(usual_s, 1e-3))


async def _end(process: Process, sessions: Sequence[int]) -> None:
    assert process.stdin is not None
    process.stdin.close()
    try:
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), _END_S)
    finally:
        # It has let them go, unless something ended or held it up.
        if process.returncode is None:
            process.kill()
        let_go(sessions)
