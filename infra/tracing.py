"""The whole way of a request, from what the store holds of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.text import Text
from rich.tree import Tree

from streams.clickhouse_client import connect, translated
from streams.store import StoreConnection

Row = Mapping[str, Any]
Rows = Mapping[str, Sequence[Row]]
"""What is stored of a request, by table."""

_BY_REQUEST = ("requests", "admissions", "scans", "completions", "responses", "dead_letters")
_BY_EXEMPLAR = ("finding_log", "alert_log")
_QUIET = {"pass": "green", "not_scanned": "bold red"}


@dataclass(frozen=True)
class Step:
    """One thing that happened to a request.

    Args:
        at: When; the broker's time, but for what a worker alone can know.
        what: What happened, in a word or two.
        facts: What is known of it.
        below: Lines that belong to it, each with its style.
    """

    at: datetime
    what: str
    facts: str = ""
    below: tuple[tuple[str, str], ...] = ()


def fetch(store: StoreConnection, request_id: str) -> dict[str, list[dict[str, Any]]]:
    """Return every row that concerns a request, by table.

    Raises:
        StoreUnavailable: If ClickHouse does not answer.
        ConfigError: If it refuses us, or has no tables.
    """
    client = connect(store)
    conditions = dict.fromkeys(_BY_REQUEST, "request_id = {id:String}")
    conditions |= dict.fromkeys(_BY_EXEMPLAR, "has(exemplars, {id:String})")
    try:
        with translated():
            return {
                table: list(
                    client.query(
                        f"SELECT * FROM {table} WHERE {condition}", parameters={"id": request_id}
                    ).named_results()
                )
                for table, condition in conditions.items()
            }
    finally:
        client.close()


def steps(rows: Rows) -> list[Step]:
    """Return what happened to a request, in order of time."""
    found = [
        *(_requested(row) for row in rows["requests"]),
        *(_scanned(row) for row in rows["scans"]),
        *(_admitted(row) for row in rows["admissions"]),
        *(step for row in rows["completions"] for step in _completed(row)),
        *(_answered(row) for row in rows["responses"]),
        *(_set_aside(row) for row in rows["dead_letters"]),
        *(_found(row) for row in rows["finding_log"]),
        *(_alerted(row) for row in rows["alert_log"]),
    ]
    return sorted(found, key=lambda step: step.at)


def tree(request_id: str, way: Sequence[Step]) -> Tree:
    """Return the way of a request for people to read."""
    began = way[0].at
    root = Tree(Text.assemble((request_id, "bold"), f"  {began:%Y-%m-%d %H:%M:%S.%f} UTC"[:-7]))
    for step in way:
        after_s = (step.at - began).total_seconds()
        branch = root.add(
            Text.assemble((f"{after_s:+9.3f} s  ", "dim"), (f"{step.what:<16}", "cyan"), step.facts)
        )
        for line, style in step.below:
            branch.add(Text(line, style=style))
    return root


def _requested(row: Row) -> Step:
    facts = [
        f"{row['prompt_chars']} characters",
        f"at most {row['max_tokens']} tokens",
        f"for {row['deployment']}",
        _where(row),
    ]
    return Step(row["appended_at"], "requested", _listed(facts))


def _scanned(row: Row) -> Step:
    lines = []
    for verdict in row["verdicts"]:
        outcome = verdict["outcome"]
        words = [f"{verdict['guard']:<12} {outcome:<8} {verdict['score']:.2f}"]
        words.append(f"of {verdict['threshold']:.2f}, {verdict['latency_ms']:.2f} ms")
        if verdict["spans"]:
            words.append("at " + ", ".join(_span(span) for span in verdict["spans"]))
        if verdict["reason"]:
            words.append(f"because of {verdict['reason']}: failed {verdict['failed']}")
        if verdict["scanned_chars"] < verdict["total_chars"]:
            words.append(f"read {verdict['scanned_chars']} of {verdict['total_chars']} characters")
        lines.append((" ".join(words), _QUIET.get(outcome, "yellow")))
    facts = f"policy {row['policy']} {row['policy_version']}"
    return Step(row["appended_at"], f"{row['direction']} scanned", facts, tuple(lines))


def _admitted(row: Row) -> Step:
    facts = [
        f"to pool {row['pool']}",
        f"topic {row['route_topic']}",
        f"difficulty {row['difficulty']:.2f}",
        str(row["route_reason"]),
        f"deployment {row['deployment']} {row['deployment_version']}",
    ]
    return Step(row["appended_at"], "admitted", _listed(facts))


def _completed(row: Row) -> Iterable[Step]:
    if row["taken_at"]:
        yield Step(row["taken_at"], "taken", f"by {row['worker']}")
    if row["first_token_at"]:
        yield Step(row["first_token_at"], "first token", _seconds("queue", row["queue_s"]))
    facts = [
        f"by {row['model']} ({row['engine']})",
        f"{row['prompt_tokens']} tokens read, {row['completion_tokens']} written",
        f"ended by {row['finish_reason']}",
        _seconds("TTFT", row["ttft_s"]),
        _seconds("TPOT", row["tpot_s"]),
        _failure(row),
    ]
    yield Step(row["appended_at"], "completed", _listed(facts))


def _answered(row: Row) -> Step:
    facts = [f"{row['latency_s']:.3f} s end to end", ", ".join(row["guards"]), _failure(row)]
    below = ((row["text_masked"], "italic"),) if row["text_masked"] else ()
    return Step(row["appended_at"], row["status"], _listed(facts), below)


def _set_aside(row: Row) -> Step:
    facts = [row["reason"], row["detail"], f"by {row['consumer']}", _origin(row)]
    return Step(row["appended_at"], "set aside", _listed(facts))


def _found(row: Row) -> Step:
    return Step(row["appended_at"], "finding", f"{row['monitor']}: {row['cause'] or row['metric']}")


def _alerted(row: Row) -> Step:
    facts = [f"{row['title']} is {row['state']}", str(row["cause"])]
    return Step(row["appended_at"], "alert", _listed(facts))


def _where(row: Row) -> str:
    return f"{row['kafka_topic']}/{row['kafka_partition']}/{row['kafka_offset']}"


def _origin(row: Row) -> str:
    return f"from {row['origin_topic']}/{row['origin_partition']}/{row['origin_offset']}"


def _failure(row: Row) -> str:
    return f"{row['failure_reason']}: {row['failure_detail']}" if row["failure_reason"] else ""


def _span(span: Row) -> str:
    return f"{span['start']}-{span['end']} {span['label']}"


def _seconds(name: str, value: float | None) -> str:
    return "" if value is None else f"{name} {value:.3f} s"


def _listed(facts: Iterable[str]) -> str:
    return ", ".join(fact for fact in facts if fact)
