"""Topics on the real broker."""

from __future__ import annotations

import pytest

from infra.topics import Layout, apply, topics_for
from schemas.errors import ConfigError
from schemas.topics import ALERTS, REQUESTS, TOPICS, WORK
from streams.log import Connection


def test_every_pool_has_a_work_topic() -> None:
    """The template of the work topic is replaced by one topic a pool."""
    assert set(topics_for(["small", "large"])) == {
        *(topic.name for topic in TOPICS if topic is not WORK),
        "llm.work.small.v1",
        "llm.work.large.v1",
    }


def test_a_partition_takes_no_more_than_it_may() -> None:
    """Retention by size and the segment still open together fit the disk of a partition."""
    settings = Layout(partition_max_bytes=64 << 20).settings(REQUESTS.name, REQUESTS)
    assert int(settings["retention.bytes"]) + int(settings["segment.bytes"]) == 64 << 20


def test_raw_prompts_leave_within_an_hour_of_their_retention() -> None:
    """Segments of the request topic are closed hourly, because only closed ones are deleted."""
    settings = Layout().settings(REQUESTS.name, REQUESTS)
    assert settings["retention.ms"] == str(24 * 3_600_000)
    assert settings["segment.ms"] == str(3_600_000)


def test_alerts_are_compacted_and_may_be_overridden() -> None:
    """Kafka's own settings of one topic stand before ours."""
    layout = Layout(overrides={ALERTS.name: {"segment.ms": "60000"}})
    settings = layout.settings(ALERTS.name, ALERTS)
    assert settings["cleanup.policy"] == "compact"
    assert settings["segment.ms"] == "60000"


@pytest.mark.kafka
async def test_topics_are_made_once_mended_and_never_grown_unasked(kafka: Connection) -> None:
    """Applying makes what is missing, alters what differs, and grows only when told to."""
    made = await apply(kafka, ["topics-test"])
    assert "llm.work.topics-test.v1" in made.created

    again = await apply(kafka, ["topics-test"])
    assert (again.created, again.altered, again.fewer) == ((), (), {})

    audit = Layout(overrides={"llm.audit.v1": {"retention.ms": "1000000"}})
    assert (await apply(kafka, ["topics-test"], audit)).altered == ("llm.audit.v1",)
    assert (await apply(kafka, ["topics-test"])).altered == ("llm.audit.v1",)

    wider = Layout(partitions=5)
    assert (await apply(kafka, ["topics-test"], wider)).fewer["llm.work.topics-test.v1"] == 4
    assert (await apply(kafka, ["topics-test"], wider)).fewer["llm.work.topics-test.v1"] == 4


@pytest.mark.kafka
async def test_a_cluster_too_small_for_the_copies_is_a_config_error(kafka: Connection) -> None:
    """The sentence names the topic and what Kafka said."""
    with pytest.raises(ConfigError, match=r"llm\.work\.copies\.v1.*replication factor"):
        await apply(kafka, ["copies"], Layout(replication_factor=5))
