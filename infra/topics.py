"""Makes the topics of a cluster as :mod:`schemas.topics` describes them, and keeps them so."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import TopicAlreadyExistsError, for_code

from schemas.errors import ConfigError
from schemas.topics import TOPICS, WORK, Topic, work_topic
from streams.kafka_errors import translate, translated
from streams.kafka_log import client_options
from streams.log import Connection

_HOUR_MS = 3_600_000
_SEGMENTS = 8
_SEEN_S = 30
_SET_ON_TOPIC = 1
"""Kafka's code for a setting that somebody gave to this very topic."""


@dataclass(frozen=True)
class Layout:
    """How topics lie on a cluster, where one cluster differs from the next.

    Args:
        partitions: Of every topic that does not exist yet.
        replication_factor: Copies of every topic that does not exist yet.
        partition_max_bytes: The disk a partition takes at most.
        overrides: Kafka's own topic settings by topic, before which ours stand back.
    """

    partitions: int = 4
    replication_factor: int = 1
    partition_max_bytes: int = 512 << 20
    overrides: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def settings(self, name: str, topic: Topic) -> dict[str, str]:
        """Return Kafka's settings for the topic called ``name``, of the kind ``topic``."""
        # Kafka deletes whole closed segments, by time and by size: they bound how much longer than
        # promised a record stays.
        segment_bytes = max(self.partition_max_bytes // _SEGMENTS, topic.max_bytes + (1 << 20))
        ours: dict[str, object] = {
            "cleanup.policy": "compact" if topic.compacted else "delete",
            "retention.ms": topic.hours * _HOUR_MS,
            "min.compaction.lag.ms": topic.hours * _HOUR_MS,
            "retention.bytes": self.partition_max_bytes - segment_bytes,
            "segment.bytes": segment_bytes,
            "segment.ms": topic.hours * _HOUR_MS // 24,
            "max.message.bytes": topic.max_bytes,
            "message.timestamp.type": "LogAppendTime",
            "min.insync.replicas": max(1, self.replication_factor - 1),
        }
        return {key: str(value) for key, value in ours.items()} | dict(self.overrides.get(name, {}))


@dataclass(frozen=True)
class Applied:
    """What :func:`apply` did, and what it left alone.

    Attributes:
        created: Topics that were made.
        altered: Topics whose settings were changed.
        fewer: Topics with fewer partitions than asked for, and how many they have.
    """

    created: tuple[str, ...]
    altered: tuple[str, ...]
    fewer: Mapping[str, int]


def topics_for(pools: Iterable[str]) -> dict[str, Topic]:
    """Return every topic by its name, with one work topic for each of ``pools``."""
    found = {topic.name: topic for topic in TOPICS if topic is not WORK}
    return found | {work_topic(pool): WORK for pool in pools}


async def apply(
    connection: Connection,
    pools: Iterable[str],
    layout: Layout | None = None,
    grow: bool = False,
) -> Applied:
    """Make the topics that are missing and mend the settings that differ; again does nothing.

    Settings of a topic that are not ours stay. More partitions than a topic has move its keys to
    other partitions and break their order for a while, so that takes ``grow``.

    Args:
        connection: The cluster.
        pools: The pools that need a work topic.
        layout: What differs between clusters.
        grow: Whether to give existing topics the partitions they lack.

    Raises:
        LogUnavailable: If the cluster does not answer.
        ConfigError: If it refuses.
    """
    layout = layout or Layout()
    wanted = topics_for(pools)
    admin = AIOKafkaAdminClient(**client_options(connection))
    try:
        with translated():
            await admin.start()
            missing = sorted(set(wanted) - set(await admin.list_topics()))
            await _create(admin, {name: wanted[name] for name in missing}, layout)
            existing = {name: topic for name, topic in wanted.items() if name not in missing}
            changes = await _changes(admin, existing, layout)
            await _alter(admin, changes)
            fewer = await _fewer(admin, existing, layout)
            if grow and fewer:
                await admin.create_partitions(
                    {name: NewPartitions(layout.partitions) for name in fewer}
                )
                fewer = {}
            await _until_seen(admin, wanted, layout, set(fewer))
    finally:
        await admin.close()
    return Applied(tuple(missing), tuple(sorted(changes)), fewer)


async def _create(admin: AIOKafkaAdminClient, missing: Mapping[str, Topic], layout: Layout) -> None:
    new = [
        NewTopic(
            name,
            layout.partitions,
            layout.replication_factor,
            topic_configs=layout.settings(name, topic),
        )
        for name, topic in missing.items()
    ]
    if new:
        _check((await admin.create_topics(new)).topic_errors)


async def _changes(
    admin: AIOKafkaAdminClient, existing: Mapping[str, Topic], layout: Layout
) -> dict[str, dict[str, str]]:
    """Return all settings to be given to each topic that has others."""
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in existing]
    changes = {}
    for response in await admin.describe_configs(resources) if resources else ():
        for code, message, _, name, entries in response.resources:
            _check([(name, code, message)])
            # An entry is name, value, read-only, source and more.
            now = {entry[0]: entry[1] for entry in entries}
            theirs = {entry[0]: entry[1] for entry in entries if entry[3] == _SET_ON_TOPIC}
            ours = layout.settings(name, existing[name])
            if any(now.get(key) != value for key, value in ours.items()):
                # Kafka forgets what an alteration does not repeat.
                changes[name] = theirs | ours
    return changes


async def _alter(admin: AIOKafkaAdminClient, changes: Mapping[str, dict[str, str]]) -> None:
    resources = [
        ConfigResource(ConfigResourceType.TOPIC, name, settings)
        for name, settings in changes.items()
    ]
    for response in await admin.alter_configs(resources) if resources else ():
        _check((entry[3], entry[0], entry[1]) for entry in response.resources)


async def _fewer(
    admin: AIOKafkaAdminClient, existing: Mapping[str, Topic], layout: Layout
) -> dict[str, int]:
    found = await admin.describe_topics(sorted(existing)) if existing else ()
    counts = {topic["topic"]: len(topic["partitions"]) for topic in found}
    return {name: count for name, count in counts.items() if count < layout.partitions}


async def _until_seen(
    admin: AIOKafkaAdminClient, wanted: Mapping[str, Topic], layout: Layout, left_alone: set[str]
) -> None:
    """Wait until clients see what was applied: brokers hear of it a moment after the controller."""
    async with asyncio.timeout(_SEEN_S):
        while (  # noqa: ASYNC110 - Kafka tells nobody when a broker has caught up
            set(wanted) - set(await admin.list_topics())
            or set(await _fewer(admin, wanted, layout)) - left_alone
            or await _changes(admin, wanted, layout)
        ):
            await asyncio.sleep(0.05)


def _check(answers: Iterable[tuple[Any, ...]]) -> None:
    """Raise for the first topic, code and message that says no."""
    for name, code, *message in answers:
        error = for_code(code)
        if code == 0 or error is TopicAlreadyExistsError:
            continue
        meaning = translate(error(message[0] if message else ""))
        if isinstance(meaning, ConfigError):
            raise ConfigError(f"Kafka refuses the topic {name}: {meaning.args[0]}")
        raise meaning
