"""What ClickHouse says of a run: how long answers took and why, who gave them, what guards said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from infra.demo.counting import OF_RUN, SINCE
from streams.clickhouse_client import connect, translated
from streams.store import StoreConnection


@dataclass(frozen=True)
class Quantiles:
    """Two quantiles of a duration, in seconds."""

    p50_s: float
    p99_s: float


@dataclass(frozen=True)
class PoolFigures:
    """What one pool did.

    Args:
        answers: How many answers it gave.
        share: Of all answers.
        whole: From a request to its answer, by the broker's time.
        waiting: On the work topic, before a worker took it.
        generating: From the worker's taking it to its last token.
        own: The pipeline's own part: what is left of the whole.
    """

    answers: int
    share: float
    completion_tokens: int
    whole: Quantiles
    waiting: Quantiles
    generating: Quantiles
    own: Quantiles


@dataclass(frozen=True)
class Figures:
    """What a run was like.

    Args:
        pools: By name; ``all`` is all of them.
        verdicts: How often each guard said what, by side of the model, guard and outcome.
        failures: How often answers failed, by reason.
        findings: Findings of any monitor since the run began.
        alerts: Changes of alerts since then.
    """

    pools: dict[str, PoolFigures]
    verdicts: list[tuple[str, str, str, int]]
    failures: dict[str, int]
    findings: int
    alerts: int


def figures(store: StoreConnection, since_ms: int, run: str) -> Figures:
    """Return the figures of the requests whose id begins with ``run``, asked since ``since_ms``.

    Raises:
        StoreUnavailable: If ClickHouse does not answer.
    """
    client = connect(store)
    parameters = {"run": run, "since": since_ms}

    def rows(query: str) -> list[tuple[Any, ...]]:
        with translated():
            return [tuple(row) for row in client.query(query, parameters=parameters).result_rows]

    try:
        pools = rows(_POOLS)
        whole = sum(row[1] for row in pools if row[0] != "all")
        return Figures(
            pools={row[0]: _pool(row, whole) for row in pools},
            verdicts=[(side, guard, said, int(n)) for side, guard, said, n in rows(_VERDICTS)],
            failures={reason: int(count) for reason, count in rows(_FAILURES)},
            findings=int(rows(_count("findings"))[0][0]),
            alerts=int(rows(_count("alerts"))[0][0]),
        )
    finally:
        client.close()


def _count(table: str) -> str:
    return f"SELECT uniqExact(event_id) FROM {table} WHERE {SINCE}"


def _pool(row: tuple[Any, ...], whole: int) -> PoolFigures:
    _, answers, tokens, *quantiles = row
    return PoolFigures(
        int(answers), answers / whole, int(tokens), *(Quantiles(*pair) for pair in quantiles)
    )


_POOLS = f"""
WITH
    dateDiff('millisecond', admitted_at, taken_at) / 1000 AS waiting_s,
    dateDiff('millisecond', taken_at, last_token_at) / 1000 AS generating_s,
    latency_s - waiting_s - generating_s AS own_s
SELECT
    multiIf(grouping(pool) = 1, 'all', pool) AS name,
    count(),
    sum(completion_tokens),
    quantilesExact(0.5, 0.99)(latency_s),
    quantilesExact(0.5, 0.99)(assumeNotNull(waiting_s)),
    quantilesExact(0.5, 0.99)(assumeNotNull(generating_s)),
    quantilesExact(0.5, 0.99)(assumeNotNull(own_s))
FROM responses
WHERE {OF_RUN} AND pool != '' AND last_token_at IS NOT NULL
GROUP BY GROUPING SETS ((pool), ())
HAVING count() > 0
ORDER BY name = 'all', name
"""
_VERDICTS = f"""
SELECT direction, guard, outcome, count()
FROM verdicts WHERE {OF_RUN}
GROUP BY direction, guard, outcome
ORDER BY direction DESC, guard, outcome
"""
_FAILURES = f"""
SELECT failure_reason, count()
FROM responses WHERE {OF_RUN} AND failure_reason != ''
GROUP BY failure_reason ORDER BY failure_reason
"""
