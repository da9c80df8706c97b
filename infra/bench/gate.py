"""How many events a second the gate takes, beside a bare Faust agent on the same records.

A backlog of requests, and of the completions that a worker with the scripted engine made of them,
lies on a broker of its own. Faust and the gate go through it in turn, each in one process; the gate
scans, masks, routes and releases, and writes its outputs in transactions. It does so twice: with
the guards that look for expressions, and with all that the shipped policy requires, models among
them.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
import yaml
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
from monitors import GUARDS
from monitors.guard import Cost, cost_of
from schemas.errors import ConfigError
from schemas.registry import Policy
from schemas.topics import REQUESTS, work_topic
from streams.kafka_log import client_options
from streams.log import Output, spread
from streams.sealing import Seal
from streams.tail import Tail
from streams.worker import Worker

Run = dict[str, Any]

_POOL = "small"
_PASTED_EVERY = 50
_PATTERNS = frozenset((Cost.PATTERN,))
_SHIPPED = frozenset((Cost.PATTERN, Cost.LEARNED))


class GateRun(BaseModel):
    """The gate with some guards.

    Attributes:
        guards: How many there are.
        events_per_s: Of one process.
        ratio: Of that to the bare agent's, within each repetition.
        cpu_us: CPU time of the process for one event, in microseconds.
        step_cpu_us: The part of it that is the gate's own work; the rest moves records.
        records_per_transaction: Records that share one transaction.
        profile: The functions of the gate's own work that take most.
    """

    guards: int
    events_per_s: Estimate
    ratio: Estimate
    cpu_us: Estimate
    step_cpu_us: Estimate
    records_per_transaction: float
    profile: list[dict[str, Any]]


class GateBench(BaseModel):
    """What came of it.

    Attributes:
        events: Records that each repetition goes through: requests and completions.
        faust_events_per_s: Of the bare agent, one process.
        faust_cpu_us: CPU time of the agent's process for one event, in microseconds.
        patterns: The gate with the guards that look for expressions.
        shipped: The gate with the guards of the shipped policy.
    """

    events: int
    faust_events_per_s: Estimate
    faust_cpu_us: Estimate
    patterns: GateRun
    shipped: GateRun


def bench_gate(cache: Path, *, requests: int = 10_000, repetitions: int = 5) -> GateBench:
    """Measure it.

    Args:
        cache: Where the jars are.
        requests: Requests in the backlog; each comes back as a completion.
        repetitions: How often each of the two goes through it.

    Raises:
        ConfigError: If the broker does not come up.
    """
    policies = {"patterns": _policy("patterns", _PATTERNS), "shipped": _policy("shipped", _SHIPPED)}
    with sandbox(SCRIPTED, cache) as system, _servers(system):
        for policy in policies.values():
            _write_policy(system, policy)
        asyncio.run(_ask(system, requests))
        _run_gate(system, "prepare", requests)
        done = asyncio.run(_complete(system))
        events = requests + done
        faust: list[Run] = []
        runs: dict[str, list[Run]] = {name: [] for name in policies}
        for number in range(repetitions):
            faust.append(_run_faust(system, f"faust-{number}", events))
            for name in policies:
                _require(system, name)
                runs[name].append(_run_gate(system, f"{name}-{number}", events))
        profiles = {}
        for name in policies:
            _require(system, name)
            profiles[name] = _run_gate(system, f"{name}-profile", events, profiled=True)["profile"]
    bare = [run["events"] / run["seconds"] for run in faust]
    gates = {name: _gate_run(runs[name], bare, policies[name], profiles[name]) for name in policies}
    return GateBench(
        events=events,
        faust_events_per_s=estimate(bare),
        faust_cpu_us=estimate([run["cpu_s"] / events * 1e6 for run in faust]),
        patterns=gates["patterns"],
        shipped=gates["shipped"],
    )


def _gate_run(
    runs: list[Run], bare: list[float], policy: Policy, profile: list[dict[str, Any]]
) -> GateRun:
    events = runs[0]["events"]
    rates = [run["events"] / run["seconds"] for run in runs]
    return GateRun(
        guards=len(policy.guards),
        events_per_s=estimate(rates),
        ratio=estimate([ours / theirs for ours, theirs in zip(rates, bare, strict=True)]),
        cpu_us=estimate([run["cpu_s"] / events * 1e6 for run in runs]),
        step_cpu_us=estimate([run["step_cpu_s"] / events * 1e6 for run in runs]),
        records_per_transaction=round(events / runs[-1]["transactions"], 1),
        profile=profile,
    )


def _policy(name: str, costs: Collection[Cost]) -> Policy:
    """Return a policy that requires the guards of some costs that ``all`` means."""
    guards = [kind() for kind in GUARDS if not getattr(kind, "optional", False)]
    return Policy(name=name, guards=tuple(g.name for g in guards if cost_of(g) in costs))


def _write_policy(system: Sandbox, policy: Policy) -> None:
    said = {"name": policy.name, "guards": list(policy.guards)}
    path = system.settings.registry / "policies" / f"{policy.name}.yaml"
    path.write_text(yaml.safe_dump(said))


def _require(system: Sandbox, policy: str) -> None:
    """Put the system's deployment under ``policy``."""
    path = system.settings.registry / "deployments" / "default.yaml"
    path.write_text(SCRIPTED.replace("policy: default", f"policy: {policy}"))


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


def _run_gate(system: Sandbox, group: str, events: int, profiled: bool = False) -> Run:
    kind = "profile" if profiled else "plain"
    return _run(system, "gate_process", str(system.config), group, str(events), kind)


def _run_faust(system: Sandbox, group: str, events: int) -> Run:
    bootstrap = system.settings.connection().bootstrap
    return _run(system, "faust_process", bootstrap, group, str(events))


def _run(system: Sandbox, program: str, *arguments: str) -> Run:
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
    found: Run = json.loads(result.read_text())
    return found
