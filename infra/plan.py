"""What ``up`` runs, by settings and registry: the servers that are ours, and one process a role."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from infra.children import Part
from infra.cores import spread
from infra.datafolder import DataFolder
from infra.preflight import check
from infra.registry import serve_model, write_defaults
from infra.roles import checked_registry
from infra.settings import Settings
from infra.supervisor import Plan
from schemas.registry import Registry

_LOG = logging.getLogger(__name__)


def make_plan(settings: Settings, model: Path | None = None) -> Plan:
    """Return everything that runs on this machine, having made sure that it can.

    Args:
        settings: All of them.
        model: A folder with a model to serve instead of what the registry says.

    Raises:
        ConfigError: If the disk is nearly full, a port is taken, or the registry or a setting will
            not do.
    """
    check(settings)
    if model:
        serve_model(settings.registry, model)
    elif write_defaults(settings.registry):
        _LOG.info("the shipped registry is written to %s", settings.registry)
    registry = checked_registry(settings.registry)
    folder = DataFolder(settings.data)
    pools = list(registry.pools())
    return Plan(
        servers=_servers(settings),
        furnish=lambda: furnish(settings, pools),
        roles=[
            _role(settings, folder, "gate"),
            *_workers(settings, folder, registry),
            _role(settings, folder, "sink"),
            _role(settings, folder, "monitors"),
            _role(settings, folder, "alerts"),
            *_embedding(settings, folder, registry),
        ],
    )


def furnish(settings: Settings, pools: list[str]) -> None:
    """Make the topics and tables that are missing.

    Raises:
        ConfigError: If a server refuses.
        TransientError: If one does not answer.
    """
    from infra.migrations import Layout, migrate
    from infra.topics import apply

    asyncio.run(apply(settings.connection(), pools, settings.topic_layout(pools)))
    migrate(settings.store("owner"), Layout(settings.tables.cluster))


def _servers(settings: Settings) -> list[Part]:
    parts = []
    if settings.kafka is None:
        broker = settings.broker()
        parts.append(
            Part("broker", broker.command, broker.is_ready, broker.environment, broker.prepare)
        )
    if settings.clickhouse is None:
        store = settings.store_server()
        parts.append(Part("store", store.command, store.is_ready, store.environment, store.prepare))
    return parts


def _workers(settings: Settings, folder: DataFolder, registry: Registry) -> list[Part]:
    pools = list(registry.pools().values())
    computing = [pool.name for pool in pools if pool.engine != "scripted"]
    cores = dict(
        zip(computing, spread(sorted(os.sched_getaffinity(0)), len(computing)), strict=True)
    )
    parts = []
    for pool in pools:
        own = cores.get(pool.name, (0,))
        variables = {
            "OMP_NUM_THREADS": str(len(own)),
            "VLLM_CPU_OMP_THREADS_BIND": ",".join(str(core) for core in own),
        }
        nice = settings.supervisor.worker_nice
        parts.append(_role(settings, folder, "worker", pool.name, variables, nice))
    return parts


def _embedding(settings: Settings, folder: DataFolder, registry: Registry) -> list[Part]:
    nice = settings.supervisor.worker_nice
    return [_role(settings, folder, "embeddings", nice=nice)] if registry.embeds else []


def _role(
    settings: Settings,
    folder: DataFolder,
    role: str,
    pool: str | None = None,
    variables: Mapping[str, str] | None = None,
    nice: int = 0,
) -> Part:
    name = f"{role}-{pool}" if pool else role
    ready = folder.ready_file(name)
    command = [sys.executable, "-m", "infra.cli"]
    if settings.config:
        command += ["--config", str(settings.config)]
    command += ["run", role, "--ready-file", str(ready)]
    if pool:
        command += ["--pool", pool]
    # Many small maths libraries start a thread a core; only a model's worker has use for them.
    environment = {"OMP_NUM_THREADS": "1", **(variables or {})}
    return Part(
        name=name,
        command=lambda: command,
        is_ready=ready.exists,
        variables=lambda: environment,
        prepare=lambda: ready.unlink(missing_ok=True),
        nice=nice,
    )
