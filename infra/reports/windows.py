"""What a deployment answered in a stretch of time, as columns: one row a request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from schemas.errors import ConfigError
from schemas.verdicts import Outcome
from streams.clickhouse_client import connect, translated
from streams.store import StoreConnection

ROWS_MAX = 20_000
"""Of a window with more answers as many are read, chosen by the hash of their request's id."""
ROWS_MIN = 50
"""With fewer there is nothing to compare."""

NUMBERS = (
    "prompt_chars",
    "answer_chars",
    "prompt_tokens",
    "completion_tokens",
    "latency_s",
    "queue_s",
    "ttft_s",
    "tpot_s",
    "mean_logprob",
    "difficulty",
)
CATEGORIES = ("status", "failure_reason", "finish_reason", "topic", "pool", "deployment_version")

# What a request has none of is no zero: an answer that was never generated has no length.
_ANSWERS = """
SELECT request_id,
    nullIf(prompt_chars, 0) AS prompt_chars, nullIf(answer_chars, 0) AS answer_chars,
    nullIf(prompt_tokens, 0) AS prompt_tokens, nullIf(completion_tokens, 0) AS completion_tokens,
    latency_s, queue_s, ttft_s, tpot_s, mean_logprob,
    if(pool = '', NULL, difficulty) AS difficulty,
    toString(status) AS status, toString(failure_reason) AS failure_reason,
    toString(finish_reason) AS finish_reason, toString(route_topic) AS topic,
    toString(pool) AS pool, toString(deployment_version) AS deployment_version
FROM responses
WHERE deployment = {deployment:String}
    AND appended_at >= {since:DateTime64(3)} AND appended_at < {until:DateTime64(3)}
ORDER BY cityHash64(request_id), request_id
LIMIT {most:UInt32}
"""

# The strongest of what a guard said of a request's texts of one kind; a guard speaks before the
# answer is given, at most a request's lifetime earlier.
_VERDICTS = f"""
SELECT request_id, concat(guard, ' on ', direction) AS said_by,
    argMax(toString(outcome), indexOf({{strongest_last:Array(String)}}, toString(outcome))) AS said
FROM verdicts
WHERE deployment = {{deployment:String}} AND reason != 'not_sampled'
    AND appended_at >= {{since:DateTime64(3)}} - INTERVAL 1 DAY
    AND appended_at < {{until:DateTime64(3)}} + INTERVAL 1 MINUTE
    AND request_id IN (SELECT request_id FROM ({_ANSWERS}))
GROUP BY request_id, said_by
"""


@dataclass(frozen=True)
class Window:
    """A stretch of time, its end excluded.

    Raises:
        ConfigError: If it does not end after it begins.
    """

    since: datetime
    until: datetime

    def __post_init__(self) -> None:
        if self.since >= self.until:
            raise ConfigError(f"a window from {self} is empty")

    @property
    def length(self) -> timedelta:
        """From its beginning to its end."""
        return self.until - self.since

    def __str__(self) -> str:
        return f"{self.since:%Y-%m-%d %H:%M:%S} to {self.until:%Y-%m-%d %H:%M:%S} UTC"


@dataclass(frozen=True)
class Answers:
    """What was answered in a window.

    Attributes:
        window: When.
        rows: How many requests are in the columns; at most :data:`ROWS_MAX`.
        numbers: Columns of numbers, by name; None where a request has no such number.
        categories: Columns of words, by name, one for each guard and kind of text among them;
            None where a guard did not read.
    """

    window: Window
    rows: int
    numbers: Mapping[str, Sequence[float | None]]
    categories: Mapping[str, Sequence[str | None]]


def answers(store: StoreConnection, deployment: str, window: Window) -> Answers:
    """Return what ``deployment`` answered in ``window``, as the store has it.

    Raises:
        StoreUnavailable: If the store does not answer.
        ConfigError: If there are fewer than :data:`ROWS_MIN` answers.
    """
    given = {
        "deployment": deployment,
        "since": window.since,
        "until": window.until,
        "most": ROWS_MAX,
        "strongest_last": list(Outcome),
    }
    client = connect(store)
    try:
        with translated():
            found = client.query(_ANSWERS, parameters=given)
            verdicts = client.query(_VERDICTS, parameters=given).result_rows
    finally:
        client.close()
    if found.row_count < ROWS_MIN:
        raise ConfigError(
            f"deployment {deployment!r} gave {found.row_count} answers from {window}; "
            f"a report needs {ROWS_MIN}"
        )
    columns = dict(zip(found.column_names, found.result_columns, strict=True))
    row_of = {request_id: row for row, request_id in enumerate(columns["request_id"])}
    said: dict[str, list[str | None]] = {}
    for request_id, said_by, outcome in verdicts:
        column = said.setdefault(said_by, [None] * found.row_count)
        column[row_of[request_id]] = outcome
    return Answers(
        window=window,
        rows=found.row_count,
        numbers={name: columns[name] for name in NUMBERS},
        categories={name: columns[name] for name in CATEGORIES}
        | {name: said[name] for name in sorted(said)},
    )
