"""The whole system as real processes: what goes in comes out, once, and is accounted for."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from infra.trials.ledger import Ledger, read_ledger
from infra.trials.load import Load
from infra.trials.sandbox import Sandbox, sandbox
from infra.trials.stored import read_tables
from infra.trials.torture import SCRIPTED, TOPICS
from schemas.topics import FINDINGS, REQUESTS
from tests.embedded import CACHE

PATIENCE_S = 90.0
"""How long a test waits for what must come; nothing hangs on how soon it does."""

pytestmark = [pytest.mark.system, pytest.mark.kafka, pytest.mark.clickhouse, pytest.mark.slow]


@pytest.fixture
def system() -> Iterator[Sandbox]:
    """A system of the test's own that is up."""
    with sandbox(SCRIPTED, CACHE) as made:
        made.up()
        yield made


async def settled(system: Sandbox, requests: int, findings: int = 0) -> Ledger:
    """Return what is on Kafka once so many requests have ended and so many findings are there."""
    deadline = asyncio.get_running_loop().time() + PATIENCE_S
    while True:
        ledger = await read_ledger(system.settings.connection(), TOPICS)
        if (
            ledger.records[REQUESTS.name] >= requests
            and not ledger.in_flight
            and ledger.records[FINDINGS.name] >= findings
        ):
            return ledger
        if asyncio.get_running_loop().time() > deadline:
            return ledger
        await asyncio.sleep(0.5)


def check_tables(system: Sandbox, ledger: Ledger) -> None:
    """Assert that the store has every event of ``ledger`` once."""
    tables = read_tables(system.settings.store("reader"), ledger, PATIENCE_S)
    assert {name for name, rows in tables.items() if not rows.is_right(name)} == set(), tables
    assert {"requests", "responses", "verdicts", "dead_letters", "findings"} <= set(tables)


def test_every_request_is_accounted_for(system: Sandbox) -> None:
    """Three hundred requests, some bad, end as they must, once, on Kafka and in the store."""
    load = Load(system.settings.connection(), seed=1)
    asyncio.run(load.write(300))
    ledger = asyncio.run(settled(system, 300, findings=1))
    assert load.acknowledged == ledger.records[REQUESTS.name] == 300
    assert ledger.lost == []
    assert ledger.twice == []
    assert ledger.otherwise == {}
    assert ledger.endings["released"] > 200
    assert {topic: ledger.repeats(topic) for topic in ledger.ids} == dict.fromkeys(ledger.ids, 0)
    check_tables(system, ledger)


def test_taking_it_down_at_work_loses_nothing(system: Sandbox) -> None:
    """What ``down`` interrupts is done after the next ``up``; meanwhile no process is left."""
    load = Load(system.settings.connection(), seed=2)
    asyncio.run(load.write(400))
    system.down()
    assert system.processes() == {}
    system.up()
    ledger = asyncio.run(settled(system, 400, findings=1))
    assert ledger.records[REQUESTS.name] == 400
    assert ledger.lost == []
    assert ledger.twice == []
    assert ledger.otherwise == {}
    check_tables(system, ledger)
