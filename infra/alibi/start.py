"""Starts alibi-detect's worker: this process becomes it, in the environment of ``make alibi``."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Never

from inference.offline import be_discreet
from infra.alibi.fitting import Name
from infra.alibi.worker import TASK, Task
from infra.settings import Settings
from schemas.errors import ConfigError
from schemas.topics import EMBEDDINGS
from streams.kafka_log import KafkaLog
from streams.log import Connection

ROOT = Path(__file__).parents[2]
ENVIRONMENT = ROOT / ".venv-alibi"


def interpreter() -> Path:
    """Return the interpreter of the environment that ``make alibi`` makes.

    Raises:
        ConfigError: If it is not there, or not all of it.
    """
    if not (ENVIRONMENT / ".installed").exists():
        raise ConfigError("alibi-detect is not installed: run `make alibi`", key="--backend")
    return ENVIRONMENT / "bin" / "python"


def surroundings(environ: Mapping[str, str]) -> dict[str, str]:
    """Return ``environ`` as a program in that environment needs it: it finds us, and not ours."""
    found = {name: value for name, value in environ.items() if not name.startswith("PYTHON")}
    be_discreet(found)
    # A second thread would mostly wait for the first.
    return found | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


def become_worker(
    settings: Settings, detector: Name, arl: float, reference: int, ready_file: Path | None
) -> Never:
    """Replace this process by the worker.

    Args:
        settings: All of them; what it needs, it gets in a variable, for a password is among it.
        detector: Which of alibi-detect's.
        arl: Texts between its false alarms, on average.
        reference: Texts that make a reference.
        ready_file: To be made once records are read.

    Raises:
        ConfigError: If its environment or topic is missing.
        LogUnavailable: If Kafka does not answer.
    """
    python = interpreter()
    connection = settings.connection()
    task = Task(
        connection=connection,
        partitions=asyncio.run(_partitions(connection)),
        folder=settings.data / "alibi",
        detector=detector,
        arl=arl,
        reference=reference,
        level=settings.logs.level,
        ready_file=ready_file.absolute() if ready_file else None,
    )
    told = {Task.VARIABLE: TASK.dump_json(task).decode()}
    command = [str(python), "-P", "-m", "infra.alibi.worker"]
    os.execve(python, command, surroundings(os.environ) | told)


async def _partitions(connection: Connection) -> int:
    log = KafkaLog(connection)
    try:
        return await log.partitions(EMBEDDINGS.name)
    finally:
        await log.close()
