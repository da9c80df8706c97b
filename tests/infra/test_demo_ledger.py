"""The demo's account: one row missing, doubled or wrong anywhere, and it is not exact."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from infra.demo.ledger import KINDS, Ledger, Row
from schemas.verdicts import Direction

REQUIRED = {
    Direction.PROMPT: frozenset({"pii", "injection"}),
    Direction.PASSAGE: frozenset({"pii"}),
    Direction.ANSWER: frozenset({"pii", "tone"}),
}


def of_request(number: int, blocked: bool = False) -> list[Row]:
    """Return everything that a request leaves behind."""
    rid, uid = f"demo-{number}", f"u{number}"
    prompt, answer = f"{uid}p", f"{uid}a"
    rows = [
        Row("requests", rid, uid),
        Row("scans", rid, prompt, direction="prompt"),
        Row("verdicts", rid, prompt, direction="prompt", guards=("pii", "injection")),
        Row("responses", rid, uid, outcome="blocked" if blocked else "released", scannable=True),
    ]
    if blocked:
        return rows
    return [
        *rows,
        Row("admissions", rid, uid),
        Row("completions", rid, uid, scannable=True),
        Row("scans", rid, answer, direction="answer"),
        Row("verdicts", rid, answer, direction="answer", guards=("pii", "tone")),
    ]


ROWS = [*of_request(1), *of_request(2), *of_request(3, blocked=True)]


def test_a_whole_account_is_exact() -> None:
    """Every request ended once and was scanned by every guard: nothing is amiss."""
    ledger = Ledger(ROWS)
    assert ledger.amiss(3, REQUIRED) == []
    assert ledger.statuses == {"released": 2, "blocked": 1}
    assert ledger.rows["verdicts"] == 10
    assert ledger.in_flight == []


@pytest.mark.parametrize("index", range(len(ROWS)))
def test_a_missing_row_is_seen(index: int) -> None:
    """Whichever row is missing, it shows against the other source, and mostly by itself."""
    less = Ledger([*ROWS[:index], *ROWS[index + 1 :]])
    assert less.differs_from(Ledger(ROWS), ("Kafka", "ClickHouse"))
    if ROWS[index].kind != "scans":
        assert less.amiss(3, REQUIRED)


@pytest.mark.parametrize("index", range(len(ROWS)))
def test_a_doubled_row_is_seen(index: int) -> None:
    """Whichever row is there twice, the account is not exact."""
    assert Ledger([*ROWS, ROWS[index]]).amiss(3, REQUIRED)


def test_a_second_answer_under_another_id_is_seen() -> None:
    """Two different responses to one request are two endings."""
    twice = Row("responses", "demo-1", "other", outcome="released", scannable=True)
    assert any(
        "ended more than once: demo-1" in s for s in Ledger([*ROWS, twice]).amiss(3, REQUIRED)
    )


def test_what_has_not_ended_is_in_flight() -> None:
    """A request without response or dead letter is named."""
    ledger = Ledger([*ROWS, Row("requests", "demo-4", "u4")])
    assert ledger.in_flight == ["demo-4"]
    assert "1 in flight: demo-4" in ledger.amiss(4, REQUIRED)


def test_a_dead_letter_is_an_ending() -> None:
    """A request that was set aside has ended, and its text needs no verdicts."""
    letter = [
        Row("requests", "demo-4", "u4"),
        Row("dead_letters", "demo-4", "d4", outcome="crashed"),
    ]
    ledger = Ledger([*ROWS, *letter])
    assert ledger.amiss(4, REQUIRED) == []
    assert ledger.set_aside == {"crashed": 1}


def wrongly(change: Callable[[Row], Row]) -> list[str]:
    """Return what is amiss once the verdicts on the first prompt are changed."""
    rows = [change(row) if row == ROWS[2] else row for row in ROWS]
    return Ledger(rows).amiss(3, REQUIRED)


def test_a_guard_without_a_verdict_is_seen() -> None:
    """Each required guard must have spoken, once, and no other."""
    for guards in (("pii",), ("pii", "tone"), ("pii", "injection", "tone")):
        found = wrongly(
            lambda row, said=guards: Row(  # type: ignore[misc]
                row.kind, row.request_id, row.event, direction=row.direction, guards=said
            )
        )
        assert any("verdict per required guard on the prompt: demo-1" in s for s in found)


def test_fewer_requests_than_were_sent_are_seen() -> None:
    """What never reached the log is missed as well."""
    assert any("3 requests are there of 4" in s for s in Ledger(ROWS).amiss(4, REQUIRED))


def test_a_row_that_lost_what_it_said_is_seen() -> None:
    """Rows that are all there, once, but not with the same content, are not the same account."""
    whole = Row("responses", "demo-9", "u9", "released", gist="small cards 12 1")
    lost = Row("responses", "demo-9", "u9", "released", gist="small  12 0")
    (said,) = Ledger([whole]).differs_from(Ledger([lost]), ("Kafka", "ClickHouse"))
    assert "demo-9" in said
    assert Ledger([whole]).differs_from(Ledger([whole]), ("Kafka", "ClickHouse")) == []


def test_every_kind_is_compared() -> None:
    """Two sources that differ in any kind are said to."""
    for kind in KINDS:
        row = next(row for row in ROWS if row.kind == kind) if kind != "dead_letters" else None
        extra = row or Row("dead_letters", "demo-1", "d")
        (said,) = Ledger([*ROWS, extra]).differs_from(Ledger(ROWS), ("Kafka", "ClickHouse"))
        assert kind in said
