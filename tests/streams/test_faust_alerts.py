"""The alerts' processes on a real broker: every change told, none in two ways."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Literal

import pytest

from infra.alert_lines import Told, acknowledge_alert
from schemas.base import event_id
from schemas.codec import decode, encode
from schemas.errors import ConfigError
from schemas.improving import AlertAcknowledged
from schemas.topics import ALERTS, FEEDBACK, FINDINGS
from schemas.watching import AlertChanged, Finding
from streams.log import Connection
from tests.infra.events import found, labelled
from tests.streams.faust_cluster import cluster, produce, read_all, until
from tests.streams.faust_process import member

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
KEYS = 40
DEPLOYMENTS = 8
AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Connection]:
    """A broker of the test's own, with all topics."""
    with cluster(tmp_path) as connection:
        yield connection


async def find(
    broker: Connection, kind: Literal["value", "detection", "recovery"], turn: int = 0
) -> None:
    """Write one finding of ``kind`` about each of some segments."""
    records = []
    for number in range(KEYS):
        cause = event_id("planted", kind, number, turn)
        finding = Finding.model_validate(
            found().model_dump()
            | {
                "event_id": cause,
                "kind": kind,
                "deployment": f"d{number % DEPLOYMENTS}",
                "segment": {"number": str(number)},
            }
        )
        records.append((FINDINGS.name, finding.deployment.encode(), encode(finding)))
    await produce(broker, records)


async def acknowledge(broker: Connection, alerts: list[str]) -> None:
    """Write that somebody has seen ``alerts``, between other feedback, under keys of its own."""
    words = [
        AlertAcknowledged(
            event_id=event_id("word", alert), occurred_at=AT, alert_id=alert, author="ada"
        )
        for alert in alerts
    ]
    await produce(
        broker,
        [(FEEDBACK.name, b"%d" % number, encode(word)) for number, word in enumerate(words)]
        + [(FEEDBACK.name, b"label", encode(labelled())), (FEEDBACK.name, b"junk", b"\xff")],
    )


async def told(broker: Connection) -> list[AlertChanged]:
    """Return every change of an alert, in order within an alert."""
    return [decode(AlertChanged, record.value) for record in await read_all(broker, ALERTS.name)]


async def stand(broker: Connection) -> dict[str, str]:
    """Return how each alert stands by its last record."""
    return {change.alert_id: change.state for change in await told(broker)}


async def test_alerts_fire_are_acknowledged_and_resolve_through_kills(
    broker: Connection, tmp_path: Path
) -> None:
    """Each alert changes three times, however its process dies; values and junk change nothing."""
    with (
        member("alerts", broker, tmp_path, "a") as first,
        member("alerts", broker, tmp_path, "b") as second,
    ):
        first.wait_ready()
        second.wait_ready()

        async def all_are(state: str) -> bool:
            return list((await stand(broker)).values()) == [state] * KEYS

        await find(broker, "value")
        await find(broker, "detection")
        first.kill_and_restart()
        await until(lambda: all_are("firing"))
        await acknowledge(broker, [*await stand(broker), "any/unheard|of"])
        second.kill_and_restart()
        await until(lambda: all_are("acknowledged"))
        await find(broker, "recovery")
        first.kill_and_restart()
        await until(lambda: all_are("resolved"))
        assert first.stop() == 0
        assert second.stop() == 0
    changes = await told(broker)
    versions = defaultdict(set)
    for change in changes:
        versions[change.event_id].add(encode(change))
    assert len(versions) == 3 * KEYS
    assert all(len(same) == 1 for same in versions.values())
    assert {change.origin for change in changes} == {found().origin}


async def test_ten_kills_and_rebalances_leave_one_event_a_firing(
    broker: Connection, tmp_path: Path
) -> None:
    """Five times all fire and are resolved, while processes die ten times and partitions move."""
    kinds: tuple[Literal["detection", "recovery"], ...] = ("detection", "recovery")
    with (
        member("alerts", broker, tmp_path, "a") as first,
        member("alerts", broker, tmp_path, "b") as second,
    ):
        first.wait_ready()
        second.wait_ready()
        for turn in range(5):
            for kind, dying in zip(kinds, (first, second), strict=True):
                await find(broker, kind, turn)
                dying.kill_and_restart()
        second.wait_ready()

        async def all_are_resolved() -> bool:
            last = await read_last(broker)
            return len(last) == KEYS and set(last.values()) == {("resolved", 5)}

        await until(all_are_resolved)
    changes = await told(broker)
    versions = defaultdict(set)
    for change in changes:
        versions[change.event_id].add(encode(change))
    assert all(len(same) == 1 for same in versions.values())
    firings = Counter(
        (change.alert_id, change.firing, change.state)
        for change in {change.event_id: change for change in changes}.values()
    )
    assert len(firings) == KEYS * 5 * 2
    assert set(firings.values()) == {1}
    once = Told()
    delivered = [change for change in changes if once.is_new(change)]
    assert len(delivered) == KEYS * 5 * 2


async def read_last(broker: Connection) -> dict[str, tuple[str, int]]:
    """Return the last state of each alert and how often it has fired."""
    return {change.alert_id: (change.state, change.firing) for change in await told(broker)}


async def test_time_and_queries_are_records_among_the_findings(
    broker: Connection, tmp_path: Path
) -> None:
    """A rule that waits fires once time has passed, through a kill; a query's answer is judged."""
    with member("alerts", broker, tmp_path, "a", option="patient") as judge:
        judge.wait_ready()
        late = found().model_copy(
            update={"occurred_at": datetime.now(UTC), "deployment": "support", "kind": "detection"}
        )
        await produce(broker, [(FINDINGS.name, b"support", encode(late))])
        judge.kill_and_restart()

        async def both_fire() -> bool:
            return (
                set((await stand(broker)).values()) == {"firing"} and len(await told(broker)) >= 2
            )

        await until(both_fire)
        changes = {change.rule: change for change in await told(broker)}
        await acknowledge_alert(broker, changes["patient"].alert_id, "ada", "on it")

        async def one_is_acknowledged() -> bool:
            return (await stand(broker))[changes["patient"].alert_id] == "acknowledged"

        await until(one_is_acknowledged)
        with pytest.raises(ConfigError, match="is acknowledged"):
            await acknowledge_alert(broker, changes["patient"].alert_id, "al", "")
        with pytest.raises(ConfigError, match="does not exist"):
            await acknowledge_alert(broker, "patient/a|b|c|", "al", "")
        assert judge.stop() == 0
    assert changes["patient"].monitor == "latency"
    assert changes["patient"].fired_at > changes["patient"].since_at
    assert changes["asked"].segment == {"workspace": "w"}
    assert changes["asked"].value == 3.0
    written = [decode(Finding, record.value) for record in await read_all(broker, FINDINGS.name)]
    assert {"clock", "query"} <= {finding.monitor for finding in written}


async def test_changed_rules_hold_without_a_restart(broker: Connection, tmp_path: Path) -> None:
    """What fires stays as it was; the new rule judges what comes next."""
    with member("alerts", broker, tmp_path, option="changed") as alerts:
        alerts.wait_ready()
        await find(broker, "detection")

        async def fired(rule: str) -> bool:
            return any(one.rule == rule for one in await told(broker))

        await until(lambda: fired("any"))
        (tmp_path / "rules-changed").touch()

        turns = count(1)

        async def fires_anew() -> bool:
            await find(broker, "detection", next(turns))
            return await fired("other")

        await until(fires_anew)
        assert alerts.stop() == 0
    last = {one.rule: one.state for one in await told(broker) if one.segment == {"number": "0"}}
    assert last["any"] == "resolved"
