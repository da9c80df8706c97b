"""Faust apps as roles: how one is set up, reads in batches, writes, keeps state and runs.

What an agent built from these parts may rely on:

- **Nothing is lost.** A batch is acknowledged only when its body has ended without an error: after
  everything it sent was stored on all replicas in sync. Faust's own ``take`` acknowledges a batch
  even when its body raised, so it is not used.
- **An error ends the process.** An agent that raises is not started again with half a batch
  applied; the process exits with an error, nothing more is acknowledged, and whoever started it
  starts it again.
- **What repeats is the same.** After a kill, records since the last commit come again. State says
  itself what it has taken in, see :class:`Snapshots`.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
import zlib
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import faust
import orjson
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code
from faust.exceptions import ProducerSendError
from faust.types import EventT, StreamT
from mode.supervisors import CrashingSupervisor
from yarl import URL

from schemas.base import Origin
from schemas.errors import ConfigError, LogUnavailable
from schemas.topics import RECORD_MAX_BYTES
from streams.faust_transport import CommittedTransport
from streams.kafka_errors import translated
from streams.kafka_log import client_options
from streams.log import Connection

SESSION_S = 10.0
COMMIT_EVERY_S = 1.0
LINGER_S = 0.005
SEEN_S = 30.0
SNAPSHOT_MAX_BYTES = 16 << 20
SENT_AT_ONCE = 50
"""Records of a changelog that wait for Kafka together; Faust complains of more than 100."""

CHANGELOG = {
    "cleanup.policy": "compact",
    "max.message.bytes": str(SNAPSHOT_MAX_BYTES),
    # Only closed segments are compacted, and a restart reads the open one whole: keep it small.
    "segment.bytes": str(2 * SNAPSHOT_MAX_BYTES),
    "segment.ms": "600000",
    "max.compaction.lag.ms": "600000",
}

log = logging.getLogger(__name__)


def make_app(group: str, connection: Connection, *, data: Path, instance: str) -> faust.App:
    """Return a Faust app that is the static member ``instance`` of ``group``.

    Args:
        group: The consumer group, which is also the prefix of the app's own topics.
        connection: How to reach Kafka.
        data: The data folder; Faust keeps its files in ``faust/`` below it.
        instance: Unique in the group, and the same after a restart.

    Raises:
        ConfigError: If a certificate file cannot be read.
    """
    folder = data / "faust" / group / instance
    folder.mkdir(parents=True, exist_ok=True)
    app = faust.App(
        group,
        broker=[URL(f"kafka://{server.strip()}") for server in connection.bootstrap.split(",")],
        broker_credentials=_credentials(connection),
        broker_session_timeout=SESSION_S,
        broker_heartbeat_interval=SESSION_S / 5,
        broker_commit_interval=COMMIT_EVERY_S,
        consumer_group_instance_id=instance,
        consumer_auto_offset_reset="earliest",
        consumer_max_fetch_size=2 * RECORD_MAX_BYTES,
        producer_acks=-1,
        producer_linger=LINGER_S,
        producer_max_request_size=SNAPSHOT_MAX_BYTES,
        agent_supervisor=CrashingSupervisor,
        datadir=folder,
        canonical_url=f"http://{instance}",
        store="memory://",
        key_serializer="raw",
        value_serializer="raw",
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        env_prefix="TIDEGATE_FAUST_",
    )
    app.transport = CommittedTransport(app.conf.broker_consumer, app)
    app.producer_transport = CommittedTransport(app.conf.broker_producer, app)
    return app


def _credentials(connection: Connection) -> Any:
    context = client_options(connection).get("ssl_context")
    if connection.protocol.startswith("SASL"):
        return faust.SASLCredentials(
            username=connection.username,
            password=connection.password,
            ssl_context=context,
            mechanism=connection.mechanism,
        )
    return faust.SSLCredentials(context) if context else None


async def ensure_topics(connection: Connection, *names: str, beside: str) -> None:
    """Create the compacted topics ``names`` where they are missing.

    They get as many partitions and replicas as the topic ``beside`` has.

    Raises:
        ConfigError: If ``beside`` does not exist, or one of ``names`` has other partitions.
        LogUnavailable: If Kafka does not answer.
    """
    with translated():
        admin = AIOKafkaAdminClient(**client_options(connection))
        await admin.start()
        try:
            model, *found = await admin.describe_topics([beside, *names])
            if model["error_code"]:
                raise ConfigError(f"Kafka has no topic {beside!r}: run `tidegate topics apply`")
            count = len(model["partitions"])
            replicas = len(model["partitions"][0]["replicas"])
            missing = _missing(found)
            for topic in found:
                if topic["topic"] not in missing and len(topic["partitions"]) != count:
                    raise ConfigError(
                        f"topic {topic['topic']!r} has {len(topic['partitions'])} partitions, "
                        f"{beside!r} has {count}: delete it, and it is made anew"
                    )
            settings = CHANGELOG | {"min.insync.replicas": str(max(1, replicas - 1))}
            answer = await admin.create_topics(
                [NewTopic(name, count, replicas, topic_configs=settings) for name in missing]
            )
            for name, code, message in answer.topic_errors:
                if code not in (0, TopicAlreadyExistsError.errno):
                    raise for_code(code)(f"cannot create topic {name!r}: {message}")
            # Brokers hear of a topic a moment later, and Faust passes over one it does not see.
            async with asyncio.timeout(SEEN_S):
                while _missing(await admin.describe_topics([*names])):  # noqa: ASYNC110 - it tells nobody
                    await asyncio.sleep(0.05)
        finally:
            await admin.close()


def _missing(topics: Iterable[Mapping[str, Any]]) -> list[str]:
    return [topic["topic"] for topic in topics if topic["error_code"]]


def raw(app: faust.App, *names: str) -> Any:
    """Return the topics ``names`` as one channel of bytes; a record may be empty."""
    return app.topic(*names, key_type=bytes, value_type=bytes, allow_empty=True)


def position(event: EventT[bytes]) -> Origin:
    """Return where the record of ``event`` stands."""
    message = event.message
    return Origin(topic=message.topic, partition=message.partition, offset=message.offset)


def appended_at(event: EventT[bytes]) -> datetime:
    """Return the broker's time of the record of ``event``."""
    return datetime.fromtimestamp(event.message.timestamp, UTC)


async def batches(
    stream: StreamT[bytes], *, most: int, within_s: float
) -> AsyncIterator[list[EventT[bytes]]]:
    """Yield the events of ``stream`` in batches and acknowledge each once its body has ended.

    A body that raises leaves its batch unacknowledged. A batch is what came within ``within_s``, or
    ``most`` events if they come sooner.
    """
    source: Any = stream  # the protocol of streams lacks noack_take
    async for batch in source.noack_take(most, within=within_s):
        yield batch
        for event in batch:
            await stream.ack(event)


async def write(app: faust.App, topic: str, records: Iterable[tuple[bytes, bytes]]) -> None:
    """Send ``records`` (key and value) and wait until all replicas in sync have them.

    Raises:
        ProducerSendError, KafkaError: If one of them was not stored.
    """
    sent = [await app.producer.send(topic, key, value, None, None, None) for key, value in records]
    await asyncio.gather(*sent)


class Kept(NamedTuple):
    """What is kept of one key.

    Attributes:
        key: The key.
        partition: That of its records.
        snapshot: Its state, as JSON.
        learned: What belongs to the state and seldom changes, in parts by name, each as what makes
            its JSON. What a name stands for never changes.
    """

    key: str
    partition: int
    snapshot: dict[str, Any]
    learned: Mapping[str, Callable[[], dict[str, Any]]] = MappingProxyType({})


class Snapshots:
    """The last snapshot of each key, kept in a compacted topic beside the topic it sums up.

    A snapshot must say, per partition of the sources, up to which offset it has taken records in,
    and what is restored from it must skip those. The order is: send what follows from a batch,
    :meth:`put`, acknowledge. Then a kill at any moment makes some records come again, and each is
    either skipped or leads to the same events as before.

    What was learned is stored under names of its own, once, before the first snapshot that needs
    it, and goes after the first that does not: whichever snapshot is found, its parts are there.

    Args:
        app: The app; its agents may use this after it has recovered.
        name: Of the table; its topic is called after it, see :meth:`topic`.
    """

    def __init__(self, app: faust.App, name: str) -> None:
        self._table = app.Table(name, key_type=bytes, value_type=bytes)

    @staticmethod
    def topic(group: str, name: str) -> str:
        """Return the topic that keeps the table ``name`` of ``group``."""
        return f"{group}-{name}-changelog"

    def get(self, key: str) -> dict[str, Any] | None:
        """Return the snapshot of ``key``, if there is one."""
        found: bytes | None = self._table.data.get(key.encode())
        return orjson.loads(zlib.decompress(found)) if found else None

    def learned(self, key: str) -> dict[str, dict[str, Any]]:
        """Return the parts that are stored for ``key``, by name."""
        shelf = _part(key, "")
        return {
            name.removeprefix(shelf).decode(): orjson.loads(zlib.decompress(value))
            for name, value in self._table.data.items()
            if name.startswith(shelf)
        }

    async def put(self, kept: Iterable[Kept]) -> None:
        """Keep what is given and wait until it is stored.

        Raises:
            KafkaError: If something was not stored.
        """
        kept = list(kept)
        for each in kept:
            needed = {_part(each.key, name): part for name, part in each.learned.items()}
            new = [name for name in needed if name not in self._table.data]
            await self._store(each.partition, {name: _value(needed[name]()) for name in new})
        await asyncio.gather(
            *(
                self._store(each.partition, {each.key.encode(): _value(each.snapshot)})
                for each in kept
            )
        )
        for each in kept:
            needless = {name for name in self._table.data if name.startswith(_part(each.key, ""))}
            needless -= {_part(each.key, name) for name in each.learned}
            await self._store(each.partition, dict.fromkeys(needless))

    async def _store(self, partition: int, values: Mapping[bytes, bytes | None]) -> None:
        items = list(values.items())
        for at in range(0, len(items), SENT_AT_ONCE):
            some = items[at : at + SENT_AT_ONCE]
            # Assigning to the table would send them as well, but nobody would learn of a failure.
            sent = [self._table.send_changelog(partition, key, value) for key, value in some]
            for key, value in some:
                if value is None:
                    self._table.data.pop(key, None)
                else:
                    self._table.data[key] = value
            await asyncio.gather(*sent)


def _part(key: str, name: str) -> bytes:
    """Return the key of a part; no deployment's name has such a character."""
    return f"{key}\n{name}".encode()


def _value(kept: dict[str, Any]) -> bytes:
    return zlib.compress(orjson.dumps(kept), level=1)


async def serve(app: faust.App, ready: Callable[[], None], drain_s: float) -> None:
    """Run ``app`` until SIGTERM or SIGINT, then finish what has begun, commit and return.

    Args:
        app: With its agents, tables and timers.
        ready: Called once, when state is recovered and records are being read.
        drain_s: How long finishing may take; then the process ends, with what was not committed.

    Raises:
        LogUnavailable: If Kafka failed the app for longer than its clients retry.
        Exception: Whatever an agent raised.
    """

    async def tell() -> None:
        ready()

    async def live() -> None:
        await app.start()
        await app.wait_until_stopped()

    asked = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, asked.set)
    app.on_startup_finished = tell
    living, waiting = asyncio.create_task(live()), asyncio.create_task(asked.wait())
    await asyncio.wait({living, waiting}, return_when=asyncio.FIRST_COMPLETED)
    # Faust's consumer thread outlives everything while it waits for a broker that is away; after a
    # crash even this function's end.
    deadline = threading.Timer(drain_s, os._exit, [1])
    deadline.daemon = True
    deadline.start()
    await app.stop()
    waiting.cancel()
    reason = app.crash_reason or (living.exception() if living.done() else None)
    if reason is None:
        deadline.cancel()
    if isinstance(reason, KafkaError | ProducerSendError):
        raise LogUnavailable(f"{type(reason).__name__}: {reason}") from reason
    if reason is not None:
        raise reason
