"""The live view: what it sums up, what it counts, and that it draws all of it."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from rich.console import Console

import schemas
from infra.backlog import Backlog
from infra.flow import Flow, quantile, sparkline
from infra.state import PartState, Phase, State
from infra.view_page import page
from schemas.watching import PoolObserved
from streams.bitmap import pack
from streams.log import Partition, Position, Record

EXAMPLES = Path(schemas.__file__).parent / "examples"
NOW_S = 1_800_000_000.0


def record(topic: str, event: Any, at_s: float = NOW_S - 1, offset: int = 0) -> Record:
    """Return ``event`` as it lies in ``topic``."""
    return Record(Partition(topic, 0), offset, int(at_s * 1000), None, orjson.dumps(event))


def answered(latency_s: float, status: str = "released", pool: str = "small") -> Record:
    """Return a response that came ``latency_s`` seconds after its request."""
    asked_at = datetime.fromtimestamp(NOW_S - 1 - latency_s, UTC)
    return record(
        "llm.responses.v1",
        {
            "status": status,
            "pool": pool,
            "requested_at": asked_at.isoformat(),
            "usage": {"completion_tokens": 20},
            "timings": {"ttft_s": 0.25},
        },
    )


def drawn(flow: Flow, lags: dict[str, int] | None = None, state: State | None = None) -> str:
    """Return the page as text."""
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(page(flow, lags or {}, state, NOW_S))
    return console.export_text()


def test_rates_are_means_of_the_last_seconds() -> None:
    """Thirty requests in ten seconds are three a second; what is older does not count."""
    flow = Flow()
    for index in range(30):
        flow.add(record("llm.requests.v1", {}, at_s=NOW_S - 1 - index % 10))
        flow.add(record("llm.requests.v1", {}, at_s=NOW_S - 30))
    assert flow.requests.per_s(NOW_S) == 3.0


def test_answers_are_counted_by_pool_and_in_all() -> None:
    """Latency is broker time from request to response, by pool and over all pools."""
    flow = Flow()
    for latency_s in (0.5, 1.0, 1.5):
        flow.add(answered(latency_s))
    flow.add(answered(4.0, status="masked", pool="large"))
    assert flow.statuses == {"released": 3, "masked": 1}
    assert quantile(flow.pools["small"].latencies_s, 0.5) == pytest.approx(1.0)
    assert quantile(flow.answers.latencies_s, 0.99) == pytest.approx(4.0)
    assert flow.answers.tokens.per_s(NOW_S) == 8.0


def test_what_cannot_be_read_is_passed_over() -> None:
    """A record of nonsense on any topic changes nothing that is drawn."""
    flow = Flow()
    for topic in ("responses", "verdicts", "alerts", "observations", "findings"):
        for value in (b"{", b"[]", b'{"verdicts": 3, "pool": {"pool": 7}}', None):
            flow.add(Record(Partition(f"llm.{topic}.v1", 0), 0, 0, None, value))
    assert flow.alerts == {}
    assert "no text has been scanned yet" in drawn(flow)


def test_an_alert_is_shown_as_it_stands_last() -> None:
    """A later change of an alert takes the place of the earlier one."""
    flow = Flow()
    for name in ("firing", "resolved"):
        event = orjson.loads((EXAMPLES / "llm.alerts.v1" / f"{name}.json").read_bytes())
        flow.add(record("llm.alerts.v1", event | {"alert_id": "a"}))
    (alert,) = flow.alerts.values()
    assert alert.state == "resolved"


def test_memory_is_bounded() -> None:
    """Neither seconds, latencies nor alerts are kept for ever."""
    flow = Flow()
    event = orjson.loads((EXAMPLES / "llm.alerts.v1" / "firing.json").read_bytes())
    for index in range(2000):
        flow.add(record("llm.requests.v1", {}, at_s=NOW_S + index))
        flow.add(answered(1.0))
        flow.add(record("llm.alerts.v1", event | {"alert_id": str(index)}))
    assert len(flow.answers.latencies_s) == 500
    assert len(flow.alerts) == 50
    assert len(flow.requests.history(NOW_S)) == 60


def test_backlog_counts_records_not_offsets() -> None:
    """Offsets that are no records, and records finished ahead of their turn, do not count."""
    work, requests = Partition("work", 0), Partition("requests", 0)
    backlog = Backlog(
        {"gate": frozenset(["requests"]), "worker": frozenset(["work"])}, frozenset(["worker"])
    )
    for offset in (0, 1, 3, 4, 6):
        backlog.saw(work, offset)
        backlog.saw(requests, offset)
    assert (backlog.unfinished("gate"), backlog.unfinished("worker")) == (5, 5)
    backlog.committed("gate", {requests: Position(7)})
    backlog.committed("worker", {work: Position(1, pack(1, {3, 6}))})
    assert (backlog.unfinished("gate"), backlog.unfinished("worker")) == (0, 2)


def test_backlog_waits_for_the_last_of_several_groups() -> None:
    """A record is forgotten only when every group that reads it has finished it."""
    where = Partition("requests", 0)
    reads = {"gate": frozenset(["requests"]), "sink": frozenset(["requests"])}
    backlog = Backlog(reads, frozenset())
    backlog.saw(where, 5)
    backlog.committed("gate", {where: Position(6)})
    assert (backlog.unfinished("gate"), backlog.unfinished("sink")) == (0, 1)
    assert backlog.first_unfinished(where) == 0
    backlog.committed("sink", {where: Position(6)})
    assert backlog.unfinished("sink") == 0


def test_the_page_shows_everything() -> None:
    """Parts, flow, pools, lag, guards and alerts are all on the page."""
    flow = Flow()
    flow.add(answered(0.75))
    flow.add(record("llm.deadletter.v1", {"reason": "undecodable"}))
    verdict = {"guard": "pii", "outcome": "mask", "latency_ms": 0.25}
    flow.add(record("llm.verdicts.v1", {"verdicts": [verdict]}))
    flow.standing["large"] = PoolObserved(pool="large", live_workers=0, waiting_requests=1234)
    alert = orjson.loads((EXAMPLES / "llm.alerts.v1" / "firing.json").read_bytes())
    flow.add(record("llm.alerts.v1", alert))
    at = datetime.fromtimestamp(NOW_S - 75, UTC)
    part = PartState(name="gate", phase=Phase.BACKOFF, since_at=at)
    text = drawn(flow, {"sink": 17}, State(pid=1, phase=Phase.READY, started_at=at, parts=(part,)))
    for shown in (
        "● gate",
        "up 1 min 15 s",
        "1 released",
        "1 set aside",
        "0.75 s",
        "1,234",
        "sink 17",
        "pii",
        alert["title"],
    ):
        assert shown in text


def test_a_sparkline_of_nothing_is_blank() -> None:
    """Before anything happens the line is empty, not an error."""
    assert sparkline([], 5) == ""
    assert sparkline([0.0, 0.0], 5) == "  "
