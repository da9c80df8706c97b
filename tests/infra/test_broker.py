"""The embedded broker: starts, survives kill -9, asks for passwords when told to."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError

from infra.broker import Broker
from infra.broker_config import Accounts, logging, properties
from infra.topics import apply
from schemas.errors import ConfigError
from streams.kafka_log import KafkaLog, client_options
from streams.log import Connection, Output, Partition, Position
from tests.embedded import CACHE, free_port, start, stop

TOPIC = "llm.control.v1"


@pytest.fixture
def broker(tmp_path: Path) -> Broker:
    """A broker that was never started."""
    return Broker(tmp_path, CACHE, port=free_port(), controller_port=free_port(), heap_mb=256)


@pytest.mark.parametrize("controller", [False, True])
def test_a_taken_port_is_named(broker: Broker, controller: bool) -> None:
    """Nothing is prepared, and the sentence says which port to free."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        unlucky = (
            replace(broker, controller_port=port) if controller else replace(broker, port=port)
        )
        with pytest.raises(ConfigError, match=rf"port {port} on 127\.0\.0\.1"):
            unlucky.prepare()
    assert not (broker.data / "kafka").exists()


def test_passwords_are_in_no_command_line(broker: Broker) -> None:
    """Every account of a machine can read the command lines of all."""
    guarded = replace(broker, auth=True)
    secret = guarded.connection.password
    assert secret
    assert not [word for word in guarded.command() if secret in word]
    assert secret not in repr(guarded.connection)


def test_settings_that_the_pipeline_relies_on(tmp_path: Path) -> None:
    """Offsets outlive a year's rest, misspelt topics are errors, one node holds one copy."""
    lines = properties(tmp_path, "127.0.0.1", 1, 2, None).splitlines()
    settings = dict(line.split("=", 1) for line in lines)
    assert int(settings["offsets.retention.minutes"]) >= 365 * 24 * 60
    assert settings["auto.create.topics.enable"] == "false"
    assert settings["transaction.state.log.min.isr"] == "1"
    assert settings["metric.reporters"] == ""
    assert settings["listeners"] == "CLIENT://127.0.0.1:1,CONTROLLER://127.0.0.1:2"


def test_every_listener_asks_for_a_password_when_told_to(tmp_path: Path) -> None:
    """Neither clients nor the controller's port are open then."""
    text = properties(tmp_path, "127.0.0.1", 1, 2, Accounts(("a", "b"), ("c", "d")))
    assert "CLIENT:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT" in text


def test_the_log_is_rotated(tmp_path: Path) -> None:
    """Five files of 10 MB are kept."""
    text = logging(tmp_path / "kafka.log")
    assert f"fileName = {tmp_path / 'kafka.log'}" in text
    assert "size.size = 10MB" in text
    assert "strategy.max = 4" in text


async def produce(connection: Connection, *values: bytes) -> None:
    """Write ``values`` to partition 0 of the topic."""
    producer = AIOKafkaProducer(**client_options(connection), enable_idempotence=True)
    async with producer:
        for value in values:
            await producer.send_and_wait(TOPIC, value, partition=0)


async def consume(connection: Connection, most: int) -> list[bytes]:
    """Return the first ``most`` values of the topic."""
    consumer = AIOKafkaConsumer(TOPIC, **client_options(connection), auto_offset_reset="earliest")
    async with consumer:
        return [(await consumer.getone()).value for _ in range(most)]


@pytest.mark.kafka
@pytest.mark.slow
def test_what_was_acknowledged_survives_kill_9(broker: Broker) -> None:
    """Killed at any moment and started again, the broker has every acknowledged record."""
    broker.prepare()
    process = start(broker)
    try:
        asyncio.run(apply(broker.connection, []))
        for turn in range(2):
            values = [b"%d-%d" % (turn, index) for index in range(20)]
            asyncio.run(produce(broker.connection, *values))
            process.kill()
            process.wait()
            assert not broker.is_ready()
            broker.prepare()
            process = start(broker)
        found = asyncio.run(consume(broker.connection, 40))
    finally:
        stop(process)
    assert found == [b"%d-%d" % (turn, index) for turn in range(2) for index in range(20)]
    log = (broker.data / "logs" / "kafka.log").read_text()
    assert "Kafka Server started" in log


@pytest.mark.kafka
@pytest.mark.slow
async def test_what_was_committed_just_before_kill_9_is_ended(broker: Broker) -> None:
    """Its markers are written when the broker is back: it is seen, and its position is known."""
    group, each = "group", 20
    source = Partition(TOPIC, 0)
    await asyncio.to_thread(broker.prepare)
    process = await asyncio.to_thread(start, broker)
    try:
        await apply(broker.connection, [])
        for turn in range(1, 4):
            log = KafkaLog(broker.connection)
            writer = await log.open_writer(group, source)
            for value in range(each):
                done = Position(turn * each + value, "x")
                await writer.write([Output(TOPIC, b"key", b"%d" % value)], done)
            process.kill()
            process.wait()
            await writer.close()
            await log.close()
            await asyncio.to_thread(broker.prepare)
            process = await asyncio.to_thread(start, broker)
            log = KafkaLog(broker.connection)
            writer = await log.open_writer(group, source)
            position = await log.committed(group, source)
            await writer.close()
            await log.close()
            assert position == done
            seen = await _committed_records(broker.connection)
            assert seen == turn * each
    finally:
        stop(process)


async def _committed_records(connection: Connection) -> int:
    """Count what a reader of committed records finds up to the end of the topic's partitions."""
    consumer = AIOKafkaConsumer(
        TOPIC,
        **client_options(connection),
        isolation_level="read_committed",
        auto_offset_reset="earliest",
    )
    count = 0
    async with consumer, asyncio.timeout(30):
        ends = await consumer.end_offsets(consumer.assignment())
        while any([await consumer.position(where) < end for where, end in ends.items()]):
            fetched = await consumer.getmany(timeout_ms=200)
            count += sum(len(records) for records in fetched.values())
    return count


@pytest.mark.kafka
@pytest.mark.slow
def test_a_guarded_broker_needs_its_password(broker: Broker) -> None:
    """Storage made in the open can be guarded later; then only the password opens it."""
    broker.prepare()
    guarded = replace(broker, auth=True)
    guarded.prepare()
    process = start(guarded)
    try:
        asyncio.run(apply(guarded.connection, []))
        asyncio.run(produce(guarded.connection, b"one"))
        assert asyncio.run(consume(guarded.connection, 1)) == [b"one"]
        for stranger in (
            Connection(guarded.connection.bootstrap),
            replace(guarded.connection, password="guessed"),
            Connection(f"127.0.0.1:{guarded.controller_port}"),
        ):
            assert not asyncio.run(_lets_in(stranger))
    finally:
        stop(process)


async def _lets_in(connection: Connection) -> bool:
    admin = AIOKafkaAdminClient(**client_options(connection), request_timeout_ms=3000)
    try:
        await admin.start()
        await admin.list_topics()
    except KafkaError:
        return False
    finally:
        await admin.close()
    return True


@pytest.mark.kafka
async def test_topics_are_kept_as_designed(kafka: Connection) -> None:
    """The broker confirms a topic's retention and record size as they were asked for."""
    await apply(kafka, [])
    admin = AIOKafkaAdminClient(**client_options(kafka))
    await admin.start()
    resource = ConfigResource(ConfigResourceType.TOPIC, "llm.requests.v1")
    (answer,) = await admin.describe_configs([resource])
    await admin.close()
    settings = {entry[0]: entry[1] for entry in answer.resources[0][4]}
    assert settings["retention.ms"] == str(24 * 3_600_000)
    assert settings["max.message.bytes"] == str(1 << 20)
    assert settings["message.timestamp.type"] == "LogAppendTime"
