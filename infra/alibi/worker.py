"""alibi-detect's detectors between two topics; a program, run in the environment they need.

``tidegate run monitors --backend alibi`` starts it (:mod:`infra.alibi.start`). It reads the texts
as vectors of every deployment, prompts and answers apart, and writes findings.

Guarantees. At least once: an offset is committed after the findings before it are acknowledged and
what is known of their texts is in its file, which one process holds at a time. A restart goes on
from there; it fits anew, for a fit cannot be stored, and skips what it has taken in. Killed after
a finding and before the file, which is written every few seconds, it says the same finding again,
under the same ``event_id``. While it fits, it reads nothing. Without its files it begins new
references where the offsets stand.

alibi-detect is under the Business Source License 1.1: not free of charge in production.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from pydantic import TypeAdapter

from infra.alibi.fitting import Floats, Name, Online, fit
from infra.alibi.watched import Fit, State, Watched
from infra.logs import log_to_stderr
from schemas.base import Origin
from schemas.codec import decode, encode
from schemas.embeddings import TextEmbedded
from schemas.errors import ConfigError, PipelineError, PoisonError
from schemas.topics import EMBEDDINGS, FINDINGS
from schemas.watching import Finding
from streams.kafka_errors import translated
from streams.kafka_log import client_options
from streams.log import Connection

GROUP = "tidegate-alibi"
_BATCH = 500
_SAVE_EVERY_S = 5.0
_LICENCE = "alibi-detect is under BSL 1.1: not free of charge in production"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Task:
    """What the worker is told, as JSON in the variable :attr:`VARIABLE`: it holds a password.

    Attributes:
        connection: How to reach Kafka.
        partitions: How many the topic of vectors has.
        folder: Holds a file for each deployment and direction.
        detector: Which one.
        arl: Texts between its false alarms, on average.
        reference: Texts that make a reference.
        level: From which on lines are logged.
        ready_file: To be made once records are read.
    """

    VARIABLE = "TIDEGATE_ALIBI_TASK"

    connection: Connection
    partitions: int
    folder: Path
    detector: Name
    arl: float
    reference: int
    level: str
    ready_file: Path | None

    def fit(self, reference: Floats, seed: int) -> Online:
        """Fit the detector."""
        return fit(self.detector, reference, self.arl, seed)


TASK = TypeAdapter(Task)


class Worker:
    """All that is watched, and its files.

    Args:
        task: Where they are, and what watches.
        fit: Fits a detector.
    """

    def __init__(self, task: Task, fit: Fit) -> None:
        self._task = task
        self._fit = fit
        self._watched: dict[Path, Watched] = {}
        self._touched: set[Path] = set()

    def read(self, value: bytes | None, origin: Origin, at: datetime) -> Finding | None:
        """Take in one record; one that holds no text as a vector is logged and passed over."""
        try:
            text = decode(TextEmbedded, value)
            return self._of(text).read(text, origin, at)
        except (PoisonError, ValueError) as error:
            log.error("skipped the record at %s: %s", origin, error)
            return None

    @property
    def is_ahead(self) -> bool:
        """Whether more was taken in than is in the files."""
        return bool(self._touched)

    def save(self) -> None:
        """Write down what changed since this was last called, each file whole or not at all."""
        for path in self._touched:
            scratch = path.with_suffix(".new")
            with scratch.open("wb") as file:
                file.write(orjson.dumps(self._watched[path].state))
                file.flush()
                os.fsync(file.fileno())
            scratch.replace(path)
        self._touched.clear()

    def _of(self, text: TextEmbedded) -> Watched:
        task = self._task
        name = f"{quote(text.deployment, safe='')}.{text.direction}.{task.detector}.json"
        path = task.folder / name
        if path not in self._watched:
            state = State(**orjson.loads(path.read_bytes())) if path.exists() else State()
            self._watched[path] = Watched(
                text.deployment, text.direction, task.detector, task.reference, self._fit, state
            )
        self._touched.add(path)
        return self._watched[path]


async def serve(task: Task, worker: Worker) -> None:
    """Hand every record to ``worker`` and write what it finds, until cancelled.

    Raises:
        LogUnavailable: If Kafka was away for longer than its clients retry.
        ConfigError: If it refuses us.
    """
    options = client_options(task.connection)
    consumer = AIOKafkaConsumer(
        **options,
        group_id=GROUP,
        enable_auto_commit=False,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
    )
    producer = AIOKafkaProducer(**options, acks="all", enable_idempotence=True)
    try:
        with translated():
            await producer.start()
            await consumer.start()
            # Not by subscribing: a member that fits for minutes would be taken for dead.
            consumer.assign(
                [TopicPartition(EMBEDDINGS.name, number) for number in range(task.partitions)]
            )
            if task.ready_file is not None:
                task.ready_file.touch()
            saved_s = time.monotonic()
            while True:
                fetched = await consumer.getmany(timeout_ms=1000, max_records=_BATCH)
                records = [record for part in fetched.values() for record in part]
                await _write(producer, [found for one in records if (found := _read(worker, one))])
                if worker.is_ahead and time.monotonic() - saved_s > _SAVE_EVERY_S:
                    worker.save()
                    await consumer.commit()
                    saved_s = time.monotonic()
    finally:
        await consumer.stop()
        await producer.stop()


def _read(worker: Worker, record: Any) -> Finding | None:
    origin = Origin(topic=record.topic, partition=record.partition, offset=record.offset)
    return worker.read(record.value, origin, datetime.fromtimestamp(record.timestamp / 1000, UTC))


async def _write(producer: AIOKafkaProducer, findings: list[Finding]) -> None:
    """Return once all findings are acknowledged."""
    sent = [
        await producer.send(FINDINGS.name, encode(found), key=found.deployment.encode())
        for found in findings
    ]
    await asyncio.gather(*sent)


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold the folder, made if it is not there, inside the block.

    Raises:
        ConfigError: If another process does.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ConfigError("is held by another worker", file=str(folder)) from error
        yield


def main() -> None:
    """Run until SIGTERM, whose moment does not matter: what is not committed comes again."""
    task = TASK.validate_json(os.environ.pop(Task.VARIABLE))
    log_to_stderr("monitors-alibi", task.level)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    log.warning(_LICENCE)
    try:
        with held(task.folder):
            asyncio.run(serve(task, Worker(task, task.fit)))
    except ConfigError as error:
        log.error("%s", error)
        sys.exit(2)
    except PipelineError as error:
        log.error("%s; it may be started again", error)
        sys.exit(1)


if __name__ == "__main__":
    main()
