"""Slows the workers of this machine down, for as long as a block lasts."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

from infra.datafolder import DataFolder
from infra.demo.duty import let_go
from infra.state import read_state

STOP_LEAST_S, STOP_MOST_S = 1.5, 2.5
"""How long workers stand still at a time; far below the 10 s after which Kafka gives them up."""
_SHARE = 1 / 6
"""The part of the time that is left to them: what they do takes six times as long."""
_MOST_S = 180.0
_END_S = 5.0


def worker_sessions(folder: DataFolder) -> list[int]:
    """Return the sessions of the workers that run on ``folder``; none if they are elsewhere."""
    state = read_state(folder.run) if folder.holder() is not None else None
    parts = state.parts if state else ()
    return [part.pid for part in parts if part.pid and part.name.startswith("worker-")]


@asynccontextmanager
async def slowed(sessions: Sequence[int], usual_s: float) -> AsyncIterator[None]:
    """Let ``sessions`` compute for a sixth of the time inside the block.

    What computes for long takes six times as long; what takes a moment waits, more often than not,
    for the next time that it may.

    Args:
        sessions: Those of :func:`worker_sessions`.
        usual_s: What an answer usually takes, in seconds.
    """
    stop_s = min(max(STOP_LEAST_S, 8 * usual_s), STOP_MOST_S)
    run_s = stop_s * _SHARE / (1 - _SHARE)
    times = [str(value) for value in (stop_s, run_s, _MOST_S)]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "infra.demo.duty", *times, *map(str, sessions)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    assert process.stdin is not None
    try:
        yield
    finally:
        process.stdin.close()
        try:
            with suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), _END_S)
        finally:
            # It has let them go, unless something ended or held it up.
            if process.returncode is None:
                process.kill()
            let_go(sessions)
