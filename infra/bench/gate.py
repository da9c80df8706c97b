"""How many events a second the gate takes, beside a bare Faust agent on the same records.

A backlog of requests, and of the completions that a worker with the scripted engine made of them,
lies on a broker of its own. Faust and the gate go through it in turn, each in one process; the gate
scans, masks, routes and releases, and writes its outputs in transactions.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
from aiokafka import AIOKafkaProducer
from pydantic import BaseModel

from inference.bank import questions
from inference.build import build_engine
from infra.bench.estimate import Estimate, estimate
from infra.daemon import start_daemon
from infra.plan import make_plan
from infra.roles import checked_registry, scanners
from infra.state import Phase
from infra.trials.sandbox import Sandbox, sandbox
from infra.trials.torture import SCRIPTED
from schemas.errors import ConfigError
from schemas.topics import REQUESTS, work_topic
from streams.kafka_log import client_options
from streams.log import Output, spread
from streams.sealing import Seal
from streams.tail import Tail
from streams.worker import Worker

_POOL = "small"
_PASTED_EVERY = 50


class GateBench(BaseModel):
    """What came of it.

    Attributes:
        events: Records that each repetition goes through: requests and completions.
        gate_events_per_s: Of the gate, one process.
        faust_events_per_s: Of the bare agent, one process.
        ratio: Of the two, within each repetition.
        gate_cpu_us: CPU time of the gate's process for one event, in microseconds.
        gate_step_cpu_us: The part of it that is the gate's own work; the rest moves records.
        faust_cpu_us: CPU time of the agent's process for one event.
        records_per_transaction: Records that share one transaction.
        profile: The functions of the gate's own work that take most.
    """

    events: int
    gate_events_per_s: Estimate
    faust_events_per_s: Estimate
    ratio: Estimate
    gate_cpu_us: Estimate
    gate_step_cpu_us: Estimate
    faust_cpu_us: Estimate
    records_per_transaction: float
    profile: list[dict[str, Any]]


def bench_gate(cache: Path, *, requests: int = 10_000, repetitions: int = 5) -> GateBench:
    """Measure it.

    Args:
        cache: Where the jars are.
        requests: Requests in the backlog; each comes back as a completion.
        repetitions: How often each of the two goes through it.

    Raises:
        ConfigError: If the broker does not come up.
    """
    with sandbox(SCRIPTED, cache) as system, _servers(system):
        asyncio.run(_ask(system, requests))
        _run_gate(system, "prepare", requests)
        done = asyncio.run(_complete(system))
        events = requests + done
        gate, faust = [], []
        for number in range(repetitions):
            faust.append(_run_faust(system, f"faust-{number}", events))
            gate.append(_run_gate(system, f"gate-{number}", events))
        profile = _run_gate(system, "profile", events, profiled=True)["profile"]
    rates = [run["events"] / run["seconds"] for run in gate]
    bare = [run["events"] / run["seconds"] for run in faust]
    return GateBench(
        events=events,
        gate_events_per_s=estimate(rates),
        faust_events_per_s=estimate(bare),
        ratio=estimate([ours / theirs for ours, theirs in zip(rates, bare, strict=True)]),
        gate_cpu_us=estimate([run["cpu_s"] / events * 1e6 for run in gate]),
        gate_step_cpu_us=estimate([run["step_cpu_s"] / events * 1e6 for run in gate]),
        faust_cpu_us=estimate([run["cpu_s"] / events * 1e6 for run in faust]),
        records_per_transaction=round(events / gate[-1]["transactions"], 1),
        profile=profile,
    )


@contextmanager
def _servers(system: Sandbox) -> Iterator[None]:
    """Run the system's broker and store inside the block, with topics, and no role."""
    settings = system.settings
    plan = replace(make_plan(settings), roles=())
    daemon = start_daemon(settings, lambda: plan, attached=True)
    try:
        while (state := daemon.state()) is None or state.phase is not Phase.READY:
            if not daemon.wait(most_s=1.0):
                raise ConfigError("broker and store did not come up")
        yield
    finally:
        daemon.stop()
        daemon.result()


async def _ask(system: Sandbox, many: int) -> None:
    """Put the requests on their topic."""
    deadline_at = datetime.now(UTC) + timedelta(hours=6)
    producer = AIOKafkaProducer(
        **client_options(system.settings.connection()), max_batch_size=1 << 20, linger_ms=20
    )
    async with producer:
        for number, question in enumerate(islice(questions(1), many)):
            request_id = f"bench-{number:07d}"
            pasted = number % _PASTED_EVERY == 0
            request = {
                "request_id": request_id,
                "prompt": question.text + (" My card is 4111 1111 1111 1111." if pasted else ""),
                "conversation_id": f"conversation-{number // 3}",
                "metadata": {"channel": "app", "group": "retail"},
                "sampling": {"max_tokens": 32},
                "deadline_at": deadline_at,
            }
            await producer.send(REQUESTS.name, orjson.dumps(request), key=request_id.encode())


async def _complete(system: Sandbox) -> int:
    """Make the completion of each admitted request, and return how many there are."""
    settings = system.settings
    registry = checked_registry(settings.registry)
    engine = build_engine(registry.pools()[_POOL], cache=settings.cache)
    await engine.start()
    worker = Worker(
        engine,
        pool=_POOL,
        scanners=scanners(registry),
        seal=Seal(settings.sealing_key()),
        name="bench",
        consumer="bench",
        now=lambda: datetime.now(UTC),
    )
    options = client_options(settings.connection())
    done = 0
    async with (
        AIOKafkaProducer(**options, max_batch_size=1 << 20, linger_ms=20) as producer,
        Tail(settings.connection(), [work_topic(_POOL)], from_start=True) as tail,
    ):
        async for record in tail.read_to_end():
            for output in await worker.answer(record):
                await _put(producer, output, settings.topics.partitions)
                done += 1
    return done


async def _put(producer: AIOKafkaProducer, output: Output, partitions: int) -> None:
    number = spread(output, partitions)
    await producer.send(output.topic, output.value, key=output.key, partition=number)


def _run_gate(system: Sandbox, group: str, events: int, profiled: bool = False) -> dict[str, Any]:
    kind = "profile" if profiled else "plain"
    return _run(system, "gate_process", str(system.config), group, str(events), kind)


def _run_faust(system: Sandbox, group: str, events: int) -> dict[str, Any]:
    bootstrap = system.settings.connection().bootstrap
    return _run(system, "faust_process", bootstrap, group, str(events))


def _run(system: Sandbox, program: str, *arguments: str) -> dict[str, Any]:
    result = system.folder / f"{program}.json"
    command = [sys.executable, "-m", f"infra.bench.{program}", *arguments, str(result)]
    subprocess.run(
        command,
        env=system.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    found: dict[str, Any] = json.loads(result.read_text())
    return found
