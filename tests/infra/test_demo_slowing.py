"""Slowing workers down: they stand still for a while, and never longer than they should."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from infra.demo.duty import computing
from infra.demo.slowing import LEAST_SHARE, MOST_SHARE, next_share, slowed
from tests.infra.dummies import eventually

_LEADER_WITH_ENGINE = (
    "import subprocess, sys, time;"
    "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(1000)']);"
    "print(flush=True); time.sleep(1000)"
)
_LEADER_ALONE = "import time; print(flush=True); time.sleep(1000)"


@pytest.fixture(params=[_LEADER_WITH_ENGINE, _LEADER_ALONE], ids=["engine", "alone"])
def worker(request: pytest.FixtureRequest) -> Iterator[int]:
    """A worker in a session of its own, with or without a process for its engine."""
    process = subprocess.Popen(
        [sys.executable, "-c", request.param], stdout=subprocess.PIPE, start_new_session=True
    )
    assert process.stdout is not None
    process.stdout.readline()
    yield process.pid
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()


def is_stopped(pid: int) -> bool:
    """Return whether a process stands still."""
    return Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].startswith("T")


def duties(worker: int) -> list[int]:
    """Return the processes that stop and continue ``worker``."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(FileNotFoundError, ProcessLookupError):
            words = (process / "cmdline").read_bytes().split(b"\0")
            if b"infra.demo.duty" in words and str(worker).encode() in words:
                found.append(int(process.name))
    return found


async def until(pids: list[int], stopped: bool) -> None:
    """Wait until all of ``pids`` stand still, or none does."""
    await asyncio.to_thread(eventually, lambda: all(is_stopped(pid) is stopped for pid in pids))


def test_an_engine_is_stopped_and_its_leader_is_not(worker: int) -> None:
    """What talks to Kafka goes on where something else computes."""
    children = Path(f"/proc/{worker}/task/{worker}/children").read_text().split()
    assert computing(worker) == ([int(pid) for pid in children] or [worker])


async def test_workers_stand_still_by_turns_and_go_on_after_the_block(worker: int) -> None:
    """Inside the block they stop and continue; after it they run, also if it ends by an error."""
    pids = computing(worker)

    async def fail_in_the_end() -> None:
        async with slowed([worker], 0.1, lambda: 1.0):
            await until(pids, stopped=True)
            await until(pids, stopped=False)
            await until(pids, stopped=True)
            raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        await fail_in_the_end()
    assert not any(is_stopped(pid) for pid in pids)
    assert duties(worker) == []


def test_workers_go_on_if_the_demo_is_killed(worker: int) -> None:
    """Nothing stays stopped when the demo gets kill -9 in the middle."""
    demo = textwrap.dedent(f"""
        import asyncio
        from infra.demo.slowing import slowed

        async def main():
            async with slowed([{worker}], 0.1, lambda: 1.0):
                await asyncio.sleep(1000)

        asyncio.run(main())
    """)
    process = subprocess.Popen([sys.executable, "-c", demo])
    pids = computing(worker)
    try:
        eventually(lambda: all(is_stopped(pid) for pid in pids))
    finally:
        process.kill()
        process.wait()
    eventually(lambda: duties(worker) == [])
    assert not any(is_stopped(pid) for pid in pids)


async def test_workers_go_on_if_what_stops_them_is_killed(worker: int) -> None:
    """The block lets them go itself if its process was killed."""
    pids = computing(worker)
    async with slowed([worker], 0.1, lambda: 1.0):
        await until(pids, stopped=True)
        (duty,) = duties(worker)
        os.kill(duty, signal.SIGKILL)
    assert not any(is_stopped(pid) for pid in pids)


def test_workers_get_less_time_until_answers_are_slow_enough() -> None:
    """However little a part slows them, in the end answers take nine times as long as usual."""
    for strength in (0.1, 0.3, 1.0, 3.0):
        share = MOST_SHARE
        for _ in range(20):
            share = next_share(share, factor=strength / share)
        assert share == LEAST_SHARE or 9 <= strength / share <= 18
