"""The monitors' processes on a real broker: nothing lost, nothing told in two ways."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from infra.topics import apply
from schemas.base import Origin
from schemas.codec import decode, encode
from schemas.improving import DeploymentChanged
from schemas.plants import PLANT_TURN_TAG
from schemas.probes import PROBES, TURN_TAG
from schemas.requests import CompletionRequested
from schemas.topics import CONTROL, FINDINGS, OBSERVATIONS, REQUESTS, RESPONSES, VERDICTS
from schemas.watching import WHOLE_SYSTEM, Finding
from streams.log import Connection
from tests.embedded import start, stop
from tests.infra.events import released, scanned
from tests.streams.faust_cluster import cluster, new_broker, produce, read_all, until
from tests.streams.faust_process import member

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
LATER_S = 2.0
BACKLOG = 1500
SEVERAL_TICKS = 10
"""Notes that stand in the log some ticks after a process has said which deployments it has."""


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Connection]:
    """A broker of the test's own, with all topics."""
    with cluster(tmp_path) as connection:
        yield connection


async def plant(broker: Connection, first: int, count: int) -> None:
    """Write a request, answer and scan ``count`` times; some are written once more and aborted."""
    response, scan = encode(released()), encode(scanned())
    records = []
    for number in range(first, first + count):
        key = b"r%d" % number
        records += [
            (REQUESTS.name, key, b'{"request_id": "%s", "prompt": "Hello?"}' % key),
            (RESPONSES.name, key, response),
            (VERDICTS.name, key, scan),
        ]
    await produce(broker, records[:30], aborted=True)
    await produce(broker, records)


async def expected(broker: Connection) -> dict[str, set[UUID]]:
    """Return the ids of the findings that counting makes of the sources, by deployment."""
    found: dict[str, set[UUID]] = {"support": set(), WHOLE_SYSTEM: set()}
    for topic, deployments in (
        (REQUESTS, [WHOLE_SYSTEM]),
        (RESPONSES, [WHOLE_SYSTEM, "support"]),
        (VERDICTS, ["support"]),
    ):
        for record in await read_all(broker, topic.name):
            origin = Origin(topic=topic.name, partition=record.partition, offset=record.offset)
            for deployment in deployments:
                found[deployment].add(origin.cause("finding", deployment))
    return found


async def told(broker: Connection) -> dict[UUID, set[bytes]]:
    """Return all findings as bytes, by their id."""
    found: defaultdict[UUID, set[bytes]] = defaultdict(set)
    for record in await read_all(broker, FINDINGS.name):
        found[decode(Finding, record.value).event_id].add(record.value)
    return found


async def test_killed_members_lose_nothing_and_repeat_themselves_exactly(
    broker: Connection, tmp_path: Path
) -> None:
    """Two processes are killed in turn at work: each record is counted, and counted once."""
    await plant(broker, 0, BACKLOG)
    with (
        member("monitors", broker, tmp_path, "a", option="count") as first,
        member("monitors", broker, tmp_path, "b", option="count") as second,
    ):
        first.wait_ready()
        second.wait_ready()
        for victim in (first, second, first):
            await plant(broker, BACKLOG, 100)
            await asyncio.sleep(LATER_S)
            victim.kill_and_restart()
        wanted = await expected(broker)

        async def complete() -> bool:
            return set(await told(broker)) >= wanted["support"] | wanted[WHOLE_SYSTEM]

        await until(complete)
        assert second.stop() == 0
        assert first.stop() == 0
    findings = await told(broker)
    assert all(len(versions) == 1 for versions in findings.values())
    counts: defaultdict[str, list[float]] = defaultdict(list)
    for versions in findings.values():
        finding = decode(Finding, versions.pop())
        if finding.event_id not in wanted[finding.deployment]:
            assert finding.origin.topic == OBSERVATIONS.name
        counts[finding.deployment].append(finding.value)
    for values in counts.values():
        assert sorted(values) == list(range(1, len(values) + 1))


async def test_the_monitors_speak_and_outlive_a_broker_that_was_killed(tmp_path: Path) -> None:
    """Values of the real monitors come out, before the broker is killed and after it is back."""
    broker = new_broker(tmp_path)
    await asyncio.to_thread(broker.prepare)
    server = await asyncio.to_thread(start, broker)
    try:
        await apply(broker.connection, ["small"])
        with member("monitors", broker.connection, tmp_path) as monitors:
            monitors.wait_ready()
            await plant(broker.connection, 0, 5)

            async def in_flight(more_than: int = 0) -> bool:
                return len(await _values(broker.connection, "in_flight")) > more_than

            await until(in_flight)
            server.kill()
            server.wait()
            await asyncio.sleep(LATER_S)
            await asyncio.to_thread(broker.prepare)
            server = await asyncio.to_thread(start, broker)
            before = len(await _values(broker.connection, "in_flight"))
            await until(lambda: in_flight(before))
            assert monitors.stop() == 0
        # The planted answers are to requests of another time, so these five stay open.
        values = {finding.value for finding in await _values(broker.connection, "in_flight")}
        assert values == {5.0}
    finally:
        stop(server)


async def test_probes_and_plants_are_sent_turn_by_turn(broker: Connection, tmp_path: Path) -> None:
    """Each turn of a probe asks the same of every group, once; all in the workspace of nobody."""
    with member("monitors", broker, tmp_path, option="probe") as monitors:
        monitors.wait_ready()

        async def several_turns() -> bool:
            return len(await read_all(broker, REQUESTS.name)) >= 6

        await until(several_turns)
        assert monitors.stop() == 0
    sent = [
        decode(CompletionRequested, record.value)
        for record in await read_all(broker, REQUESTS.name)
    ]
    assert len({one.request_id for one in sent}) == len(sent)
    assert {one.workspace for one in sent} == {PROBES}
    asked = [one for one in sent if TURN_TAG in one.metadata]
    # A turn in which no tick came is missed; none is sent in part or twice.
    assert set(Counter(one.metadata[TURN_TAG] for one in asked).values()) == {2}
    planted = Counter(one.metadata[PLANT_TURN_TAG] for one in sent if one not in asked)
    assert set(planted.values()) == {1}


async def test_a_changed_file_is_announced_once(broker: Connection, tmp_path: Path) -> None:
    """Not when the process begins again, but when the registry says otherwise."""
    for option, wanted in (("", 1), ("", 1), ("changed", 2)):
        with member("monitors", broker, tmp_path, option=option) as monitors:
            monitors.wait_ready()
            before = len(await read_all(broker, OBSERVATIONS.name))

            async def announced(before: int = before, wanted: int = wanted) -> bool:
                noted = len(await read_all(broker, OBSERVATIONS.name)) - before
                told = len(await read_all(broker, CONTROL.name))
                return noted > SEVERAL_TICKS and told >= wanted

            await until(announced)
            assert monitors.stop() == 0
    told = [
        decode(DeploymentChanged, record.value) for record in await read_all(broker, CONTROL.name)
    ]
    assert [(one.deployment_version, one.previous_version) for one in told] == [
        ("d1", None),
        ("d2", "d1"),
    ]


async def _values(connection: Connection, metric: str) -> list[Finding]:
    found = [decode(Finding, record.value) for record in await read_all(connection, FINDINGS.name)]
    return [finding for finding in found if finding.metric == metric]
