"""The roles: what each process of the system runs, by settings and registry.

A role's libraries are loaded only in its own process: the gate must not pay for vLLM.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.garbage import collect_seldom
from infra.room import Room
from infra.settings import Settings
from schemas.alert_rules import check_monitors
from schemas.errors import ConfigError
from schemas.registry import Registry, check_guards, load_registry

if TYPE_CHECKING:
    from monitors.scanning import Scanner
    from streams.gate import Gate

ROLES = ("gate", "worker", "sink", "monitors", "alerts", "embeddings")
GATE_GROUP = "tidegate-gate"
SINK_GROUP = "tidegate-sink"
EMBEDDINGS_GROUP = "tidegate-embeddings"
_SINK_PATIENCE_MS = 1000
Ready = Callable[[], None]


def run_role(
    role: str, settings: Settings, pool: str | None, ready: Ready, instance: int = 0
) -> None:
    """Run one role in this process until SIGTERM.

    Args:
        role: One of :data:`ROLES`.
        settings: All of them.
        pool: Whose requests a worker answers; None for every other role.
        ready: To be called once the role serves.
        instance: Tells apart the processes of one role on one machine.

    Raises:
        ConfigError: If the role cannot run with these settings.
    """

    def serves() -> None:
        collect_seldom()
        ready()

    registry = checked_registry(settings.registry)
    name = "-".join(part for part in (role, pool, socket.gethostname(), str(instance)) if part)
    if role == "gate":
        asyncio.run(_until_told(_gate(settings, registry, name, serves)))
    elif role == "sink":
        asyncio.run(_until_told(_sink(settings, registry, name, serves)))
    elif role == "worker":
        if pool is None or pool not in registry.pools():
            known = ", ".join(sorted(registry.pools()))
            raise ConfigError(f"no pool {pool!r}; there are: {known}", key="--pool")
        asyncio.run(_until_told(_worker(settings, registry, pool, name, serves)))
    elif role == "embeddings":
        asyncio.run(_until_told(_embeddings(settings, registry, name, serves)))
    elif role == "monitors":
        _monitors(settings, registry, name, serves)
    else:
        _alerts(settings, registry, name, serves)


def checked_registry(folder: Path) -> Registry:
    """Return the registry, refused if it names a guard or monitor that does not exist.

    Raises:
        ConfigError: Naming file, line and key.
    """
    from infra.alibi.watched import MONITORS as ALIBI_MONITORS
    from monitors import GUARDS, LISTED_GUARDS, MONITORS, OWN_MONITORS, PROBE_MONITORS
    from monitors.guard import options_of

    known = {guard.name: options_of(guard) for guard in (*GUARDS, *LISTED_GUARDS)}
    registry = load_registry(folder)
    watching = [monitor.name for monitor in (*MONITORS, *OWN_MONITORS, *PROBE_MONITORS)]
    watching += ALIBI_MONITORS.values()
    check_monitors(folder / "alerts", registry.rules, watching)
    for policy in registry.policies.values():
        check_guards(folder, policy, known)
    return registry


Main = Callable[[asyncio.Event], Coroutine[Any, Any, None]]


async def _until_told(main: Main) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await main(stop)


def _now() -> datetime:
    return datetime.now(UTC)


def scanners(registry: Registry) -> dict[str, Scanner]:
    """Return what scans the texts of each deployment."""
    from infra.embedding import embedded
    from monitors import all_guards
    from monitors.scanning import Scanner

    guards = all_guards(embedded)
    return {
        name: Scanner(guards, registry.policy_of(deployment), time.perf_counter)
        for name, deployment in registry.deployments.items()
    }


def build_gate(settings: Settings, registry: Registry) -> Gate:
    """Return what the gate does to records, as these settings and this registry want it.

    What its guards need is loaded: the first request waits for nothing.
    """
    from inference.router import Router
    from infra.embedding import embedded
    from streams.admission import Serving
    from streams.gate import Gate
    from streams.sealing import Seal

    scanner_of = scanners(registry)
    if any(scanner.needs_embeddings for scanner in scanner_of.values()):
        embedded(["The first text is slower than those that follow."])
    serving = {
        deployment.name: Serving(
            deployment=deployment,
            deployment_version=registry.versions[f"deployments/{deployment.name}"],
            policy=registry.policy_of(deployment),
            policy_version=registry.versions[f"policies/{deployment.policy}"],
            scanner=scanner_of[deployment.name],
            router=Router(deployment),
        )
        for deployment in registry.deployments.values()
    }
    return Gate(
        serving,
        Seal(settings.sealing_key()),
        consumer=GATE_GROUP,
        deadline_s=settings.gate.request_deadline_s,
        now=_now,
    )


def _gate(settings: Settings, registry: Registry, name: str, ready: Ready) -> Main:
    from schemas.topics import REQUESTS
    from streams.gate import TOPICS
    from streams.kafka_log import KafkaLog
    from streams.log import Partition
    from streams.loop import Loop
    from streams.transform import Transform

    gate = build_gate(settings, registry)
    room = Room(settings.data, settings.disk.min_free_bytes)

    def held(partition: Partition) -> bool:
        return partition.topic == REQUESTS.name and room.is_short()

    async def main(stop: asyncio.Event) -> None:
        with ThreadPoolExecutor(1, "gate") as executor:
            loop = Loop(
                KafkaLog(settings.connection()),
                group=GATE_GROUP,
                member=name,
                topics=TOPICS,
                work=Transform(gate, executor, held),
                drain_s=settings.supervisor.drain_s,
            )
            await loop.run(stop, ready)

    return main


def _worker(settings: Settings, registry: Registry, pool: str, name: str, ready: Ready) -> Main:
    from inference.build import build_engine
    from inference.offline import be_discreet
    from streams.generate import Generate
    from streams.kafka_log import KafkaLog
    from streams.loop import Loop
    from streams.pools import worker_group
    from streams.sealing import Seal
    from streams.worker import Worker

    spec = registry.pools()[pool]
    from schemas.topics import work_topic

    be_discreet(os.environ, hub=settings.models.hub)

    async def main(stop: asyncio.Event) -> None:
        engine = build_engine(spec, cache=settings.cache, hub=settings.models.hub)
        await engine.start()
        worker = Worker(
            engine,
            pool=pool,
            scanners=scanners(registry),
            seal=Seal(settings.sealing_key()),
            name=name,
            consumer=worker_group(pool),
            now=_now,
        )
        try:
            loop = Loop(
                KafkaLog(settings.connection()),
                group=worker_group(pool),
                member=name,
                topics=[work_topic(pool)],
                work=Generate(worker.answer, worker.give_up, most=spec.max_in_flight),
                drain_s=settings.supervisor.drain_s,
            )
            await loop.run(stop, ready)
        finally:
            await engine.stop()

    return main


def _sink(settings: Settings, registry: Registry, name: str, ready: Ready) -> Main:
    from schemas.topics import COMPLETIONS, REQUESTS, TOPICS, WORK, work_topic
    from streams.clickhouse_store import ClickHouseStore
    from streams.kafka_log import KafkaLog
    from streams.loop import Loop
    from streams.sealing import Seal
    from streams.store_sink import StoreSink

    works = [work_topic(pool) for pool in sorted(registry.pools())]
    topics = [topic.name for topic in TOPICS if topic.table and topic is not WORK] + works
    store = ClickHouseStore(settings.store("writer"))

    async def main(stop: asyncio.Event) -> None:
        with ThreadPoolExecutor(2, "sink") as executor:
            sink = StoreSink(
                store.insert,
                Seal(settings.sealing_key()),
                consumer=SINK_GROUP,
                executor=executor,
                elsewhere=frozenset([REQUESTS.name, COMPLETIONS.name, *works]),
                linger_s=settings.sink.linger_s,
                batch_records=settings.sink.batch_rows,
            )
            loop = Loop(
                KafkaLog(settings.connection(), patience_ms=_SINK_PATIENCE_MS),
                group=SINK_GROUP,
                member=name,
                topics=topics,
                work=sink,
                drain_s=settings.supervisor.drain_s,
            )
            try:
                await loop.run(stop, ready)
            finally:
                store.close()

    return main


def _embeddings(settings: Settings, registry: Registry, name: str, ready: Ready) -> Main:
    from inference.embeddings import NAME
    from infra.embedding import embedded
    from schemas.topics import RESPONSES, work_topic
    from streams.embed import Embed
    from streams.kafka_log import KafkaLog
    from streams.loop import Loop
    from streams.sealing import Seal
    from streams.transform import Transform

    works = [work_topic(pool) for pool in sorted(registry.pools())]
    if registry.embeds:
        embedded(["The first text is slower than those that follow."])

    async def main(stop: asyncio.Event) -> None:
        log = KafkaLog(settings.connection())
        step = Embed(
            registry.deployments,
            partitions=await log.partitions(RESPONSES.name),
            embed=embedded,
            model=NAME,
            seal=Seal(settings.sealing_key()),
            consumer=EMBEDDINGS_GROUP,
            clock_s=time.perf_counter,
        )
        with ThreadPoolExecutor(1, "embed") as executor:
            loop = Loop(
                log,
                group=EMBEDDINGS_GROUP,
                member=name,
                topics=[RESPONSES.name, *works],
                work=Transform(step, executor),
                drain_s=settings.supervisor.drain_s,
            )
            await loop.run(stop, ready)

    return main


def _monitors(settings: Settings, registry: Registry, name: str, ready: Ready) -> None:
    from schemas.topics import work_topic
    from streams.kafka_log import KafkaLog
    from streams.lag import waiting
    from streams.monitors_app import run_monitors
    from streams.pools import worker_group

    log: KafkaLog | None = None

    async def waiting_in(pool: str) -> int:
        nonlocal log
        log = log or KafkaLog(settings.connection())
        return await waiting(log, worker_group(pool), work_topic(pool))

    run_monitors(
        settings.connection(),
        registry=registry,
        data=settings.data,
        instance=name,
        waiting=waiting_in,
        ready=ready,
        request_deadline_s=settings.gate.request_deadline_s,
    )


def _alerts(settings: Settings, registry: Registry, name: str, ready: Ready) -> None:
    from infra.rule_files import RuleFiles
    from streams.alerts_app import run_alerts
    from streams.querying import asking

    run_alerts(
        settings.connection(),
        registry=registry,
        data=settings.data,
        instance=name,
        ask=asking(settings.store("reader")),
        ready=ready,
        changed=RuleFiles(settings.registry, checked_registry).changed,
    )
