"""Queries of alert rules: asked of the store about a time, their rows as findings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from math import isfinite
from typing import Any

from clickhouse_connect.driver.client import Client
from pydantic import ValidationError

from schemas.alert_rules import QUERIED, AlertRule
from schemas.base import Origin, event_id
from schemas.errors import PoisonError, StoreUnavailable
from schemas.topics import FINDINGS
from schemas.watching import WHOLE_SYSTEM, Finding
from streams.clickhouse_client import connect, translated
from streams.store import StoreConnection

ROWS_MAX = 200
"""How many rows of an answer are judged; more would be no alert but a report."""

LIMITS = {
    "readonly": 1,
    "max_execution_time": 60,
    "max_memory_usage": 1 << 30,
    "max_result_rows": 100_000,
}
"""What a query is asked with where the user may do more than read: a rule is text of a file."""

Row = Mapping[str, Any]
Ask = Callable[[str, datetime], Sequence[Row]]


def asking(store: StoreConnection) -> Ask:
    """Return what asks ``store`` a query about a time, over one connection.

    It connects when first asked, and again after the store was away.

    Raises:
        StoreUnavailable: When asking, if the store does not answer.
        ConfigError: When asking, if it refuses the user or the query.
    """
    return _Asking(store)


class _Asking:
    def __init__(self, store: StoreConnection) -> None:
        self._store = store
        self._client: Client | None = None

    def __call__(self, sql: str, at: datetime) -> Sequence[Row]:
        client = self._client = self._client or connect(self._store)
        try:
            with translated():
                free = client.server_settings["readonly"].value == "0"
                answer = client.query(
                    sql, parameters={"at": at.astimezone(UTC)}, settings=LIMITS if free else None
                )
                return [dict(row) for row in answer.named_results()][:ROWS_MAX]
        except StoreUnavailable:
            client.close()
            self._client = None
            raise


def findings_of(rule: AlertRule, rows: Sequence[Row], at: datetime) -> list[Finding]:
    """Return what the rows of a rule's query say about the time ``at``.

    Raises:
        PoisonError: If a row's ``value`` is no finite number, or the row makes no finding.
    """
    return [_finding_of(rule, row, at) for row in rows]


def _finding_of(rule: AlertRule, row: Row, at: datetime) -> Finding:
    try:
        value = float(row["value"])
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise PoisonError(f"the query of rule {rule.name} gives no number as value") from error
    if not isfinite(value):
        raise PoisonError(f"the query of rule {rule.name} gives {value} as value")
    deployment = str(row.get("deployment") or WHOLE_SYSTEM)
    segment = {n: str(v) for n, v in row.items() if n not in ("value", "deployment")}
    marks = [f"{name}={segment[name]}" for name in sorted(segment)]
    said = "above" if rule.above is not None else "below"
    limit = rule.above if rule.above is not None else rule.below
    try:
        return Finding(
            event_id=event_id("finding", QUERIED, rule.name, deployment, *marks, at.isoformat()),
            occurred_at=at,
            monitor=QUERIED,
            monitor_version="1",
            kind="value",
            deployment=deployment,
            segment=segment,
            metric=rule.name,
            value=value,
            limit=limit,
            cause=f"the query of rule {rule.name} gives {value:g}; it speaks {said} {limit:g}",
            origin=Origin(topic=FINDINGS.name, partition=0, offset=0),
        )
    except ValidationError as error:
        raise PoisonError(f"a row of rule {rule.name}'s query makes no finding") from error
