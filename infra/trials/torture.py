"""Kill and stop the parts of a system under load, over and over, and see that nothing is amiss.

What must hold afterwards, whoever died and whenever: every request ended exactly once and as it had
to; every event is in the store, once; monitors and alerts repeat at most what is the same byte for
byte; and when the system is taken down, no process is left.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from infra.trials.ledger import Ledger, read_ledger
from infra.trials.load import Load
from infra.trials.sandbox import Sandbox, sandbox
from infra.trials.stored import REPEATING, Rows, read_tables
from schemas.errors import ConfigError
from schemas.topics import (
    ALERTS,
    COMPLETIONS,
    DEADLETTER,
    FINDINGS,
    REQUESTS,
    RESPONSES,
    VERDICTS,
    topic_of,
    work_topic,
)
from streams.tail import Tail

SCRIPTED = """\
name: default
policy: default
pools:
  - name: small
    engine: scripted
    model: scripted
    max_in_flight: 64
    engine_args: {token_s: 0.005}
"""
TOPICS = (
    REQUESTS.name,
    work_topic("small"),
    COMPLETIONS.name,
    RESPONSES.name,
    VERDICTS.name,
    DEADLETTER.name,
    FINDINGS.name,
    ALERTS.name,
)
PARTS = ("gate", "worker-small", "sink", "monitors", "alerts", "broker", "store", "supervisor")
DOUBLED = ("gate", "worker-small", "sink")
"""Parts of which a second process takes over from one that stands still, and is not dead."""
_STOPPED_S = 14.0
"""Longer than a consumer group's session, so that others take the partitions over."""
_PATIENCE_S = 120.0


class Blow(BaseModel):
    """What is done to one part.

    Attributes:
        part: Its name.
        how: ``kill``: SIGKILL. ``stop``: SIGSTOP until its session is over, then SIGCONT.
            ``stop beside another``: the same while a second process of the role takes over.
    """

    model_config = ConfigDict(frozen=True)

    part: str
    how: Literal["kill", "stop", "stop beside another"]


class Struck(BaseModel):
    """What came of a blow.

    Attributes:
        at_s: Seconds since the load began.
        ready_s: Until the part was ready again; a stopped one, until it had been let go on.
        answers_s: Until a request sent after the blow was answered; None if none ever was.
    """

    part: str
    how: str
    at_s: float
    ready_s: float
    answers_s: float | None = None


class Result(BaseModel):
    """How a system came through.

    Attributes:
        lost: Requests that never ended.
        twice: Requests that ended twice.
        otherwise: Requests that ended in another way than they had to.
        repeats: Events that stand on a topic more than once, by topic.
        differing: Events of one id whose bytes differ.
        unacknowledged: Requests whose writing ended in an error: they may be there or not.
        left_over: Command lines of processes that outlived the system.
    """

    ok: bool
    seconds: float
    requests: int
    acknowledged: int
    unacknowledged: int
    endings: dict[str, int]
    lost: int
    twice: int
    otherwise: dict[str, int]
    repeats: dict[str, int]
    differing: int
    tables: dict[str, Rows]
    blows: list[Struck]
    left_over: list[str]


def all_blows(times: int, seed: int) -> list[Blow]:
    """Return every blow there is, kills ``times`` each, in an order that ``seed`` decides."""
    blows = [Blow(part=part, how="kill") for part in PARTS for _ in range(times)]
    blows += [Blow(part=part, how="stop") for part in PARTS if part != "supervisor"]
    blows += [Blow(part=part, how="stop beside another") for part in DOUBLED]
    random.Random(seed).shuffle(blows)
    return blows


def run_torture(
    cache: Path, blows: Sequence[Blow], per_s: tuple[float, float], seed: int, keep_logs: bool
) -> Result:
    """Set up a system of its own, strike it, and return how it came through.

    Args:
        cache: Where the jars are.
        blows: What is done, in order.
        per_s: The least and the most requests a second.
        seed: Decides requests and pauses.
        keep_logs: Whether the logs are kept.

    Raises:
        ConfigError: If the system does not come up, before a blow or after it.
    """
    with sandbox(SCRIPTED, cache, keep_logs) as system:
        system.up()
        result = asyncio.run(_Torture(system, per_s, seed).run(blows))
        system.down()
        left = list(system.processes().values())
    return result.model_copy(update={"left_over": left, "ok": result.ok and not left})


class _Torture:
    def __init__(self, system: Sandbox, per_s: tuple[float, float], seed: int) -> None:
        self._system = system
        self._connection = system.settings.connection()
        self._per_s = per_s
        self._load = Load(self._connection, seed)
        self._random = random.Random(seed)
        self._heard = Ledger()
        self._since_ms = 0
        self._answered_ms: asyncio.Future[int] | None = None

    async def run(self, blows: Sequence[Blow]) -> Result:
        began_s = time.time()
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            listening = tasks.create_task(self._listen())
            flowing = tasks.create_task(self._load.flow(self._per_s, stop))
            await self._answered(since_s=time.time())
            struck = [await self._strike(blow, began_s) for blow in blows]
            stop.set()
            await flowing
            await self._drained()
            listening.cancel()
        ledger = await read_ledger(self._connection, TOPICS)
        tables = await asyncio.to_thread(
            read_tables, self._system.settings.store("reader"), ledger, _PATIENCE_S
        )
        return self._result(ledger, tables, struck, time.time() - began_s)

    async def _listen(self) -> None:
        """Hear, as an application would, how requests end, without ever connecting anew."""
        topics = (REQUESTS.name, RESPONSES.name, DEADLETTER.name)
        async with Tail(self._connection, topics, from_start=True) as tail:
            async for record in tail.read_for_ever():
                place = self._heard.take(record)
                waiting = self._answered_ms
                if waiting is None or waiting.done() or place is None:
                    continue
                if self._heard.asked_ms.get(place, 0) >= self._since_ms:
                    waiting.set_result(record.timestamp_ms)

    async def _strike(self, blow: Blow, began_s: float) -> Struck:
        await asyncio.sleep(self._random.uniform(2.0, 5.0))
        at_s = time.time()
        answered = asyncio.create_task(self._answered(at_s))
        if blow.how == "kill":
            await self._kill(blow.part)
        else:
            await self._stop(blow.part, beside=blow.how == "stop beside another")
        ready_s = time.time() - at_s
        answers_s = await answered
        return Struck(
            part=blow.part,
            how=blow.how,
            at_s=round(at_s - began_s, 1),
            ready_s=round(ready_s, 1),
            answers_s=None if answers_s is None else round(answers_s, 1),
        )

    async def _kill(self, part: str) -> None:
        pid = await self._until_ready(part, other_than=None)
        os.kill(pid, signal.SIGKILL)
        if part == "supervisor":
            await asyncio.to_thread(self._system.up)
        await self._until_ready(part, other_than=pid)

    async def _stop(self, part: str, beside: bool) -> None:
        pid = await self._until_ready(part, other_than=None)
        second = await self._second(part) if beside else None
        os.killpg(pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(_STOPPED_S)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGCONT)
        await asyncio.sleep(3.0)
        if second is not None:
            # What it leaves behind must not depend on whether it goes in good order.
            second.send_signal(self._random.choice((signal.SIGTERM, signal.SIGKILL)))
            await second.wait()

    async def _second(self, part: str) -> asyncio.subprocess.Process:
        """Start another process of the part's role and wait until it serves."""
        role, _, pool = part.partition("-")
        ready = self._system.folder / f"second-{part}.ready"
        ready.unlink(missing_ok=True)
        words = ["run", role, "--instance", "1", "--ready-file", str(ready)]
        words += ["--pool", pool] if pool else []
        second = await asyncio.create_subprocess_exec(
            *self._system.command(*words),
            env=self._system.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + _PATIENCE_S
        while not ready.exists():
            if time.monotonic() > deadline or second.returncode is not None:
                raise ConfigError(f"a second process of {part} does not come up")
            await asyncio.sleep(0.1)
        return second

    async def _until_ready(self, part: str, other_than: int | None) -> int:
        deadline = time.monotonic() + _PATIENCE_S
        while time.monotonic() < deadline:
            pid = self._system.pid(part)
            if pid is not None and pid != other_than:
                return pid
            await asyncio.sleep(0.05)
        raise ConfigError(f"{part} is not ready after {_PATIENCE_S:.0f} s")

    async def _answered(self, since_s: float) -> float | None:
        """Wait for the answer to a request sent since then, and return how long it took."""
        self._since_ms = int(since_s * 1000)
        self._answered_ms = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(_PATIENCE_S):
                return (await self._answered_ms - self._since_ms) / 1000
        except TimeoutError:
            return None

    async def _drained(self) -> None:
        deadline = time.monotonic() + _PATIENCE_S
        while time.monotonic() < deadline:
            heard = self._heard.records[REQUESTS.name]
            if heard >= self._load.acknowledged and not self._heard.in_flight:
                return
            await asyncio.sleep(0.2)

    def _result(
        self, ledger: Ledger, tables: dict[str, Rows], struck: list[Struck], seconds: float
    ) -> Result:
        repeats = {topic: ledger.repeats(topic) for topic in ledger.ids if ledger.repeats(topic)}
        ok = not (
            ledger.lost
            or ledger.twice
            or ledger.otherwise
            or ledger.differing
            or self._load.unknown
            or ledger.records[REQUESTS.name] != self._load.acknowledged
            or self._heard.endings != ledger.endings
            or any(topic_of(topic).table not in REPEATING for topic in repeats)
            or any(blow.answers_s is None for blow in struck)
            or not all(rows.is_right(table) for table, rows in tables.items())
        )
        return Result(
            ok=ok,
            seconds=round(seconds, 1),
            requests=ledger.records[REQUESTS.name],
            acknowledged=self._load.acknowledged,
            unacknowledged=self._load.unknown,
            endings=dict(ledger.endings),
            lost=len(ledger.lost),
            twice=len(ledger.twice),
            otherwise=dict(ledger.otherwise),
            repeats=repeats,
            differing=len(ledger.differing),
            tables=tables,
            blows=struck,
            left_over=[],
        )
