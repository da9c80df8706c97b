"""Whether personal data in requests stays where it may be, on a whole system of its own."""

from __future__ import annotations

import asyncio
from pathlib import Path
from time import monotonic
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from infra.eval.intervals import wilson
from infra.eval.planting import ANSWER, PATTERNS, WORDED, Search, kinds_by_value, requests
from infra.trials.sandbox import Sandbox, sandbox
from schemas.errors import ConfigError
from schemas.topics import REQUESTS, RESPONSES
from streams.clickhouse_client import connect
from streams.kafka_log import client_options
from streams.tail import Tail

DEPLOYMENT = f"""\
name: default
policy: default
pools:
  - name: small
    engine: scripted
    model: scripted
    max_in_flight: 64
    engine_args: {{answers: ["{ANSWER}"]}}
"""
_PATIENCE_S = 180.0
_SETTLED_S = 12.0
"""How long monitors and the sink get after the last answer."""


def evaluate(cache: Path, many: int, seed: int = 0) -> dict[str, Any]:
    """Return where planted values were found outside the request topic and restored responses.

    Every record of every other topic, Faust's own included, every column of every table and every
    line of the logs is searched for each value, as it was written, as JSON writes it and without
    separators.

    Args:
        cache: Where the jars are.
        many: Requests to send.
        seed: What is planted.

    Raises:
        ConfigError: If the system does not come up, or does not answer every request.
    """
    written = list(requests(many, seed))
    planted = [values for _, values in written]
    search = Search(kinds_by_value(planted))
    with sandbox(DEPLOYMENT, cache) as system:
        system.up()
        responses = asyncio.run(_through(system, [request for request, _ in written]))
        asyncio.run(_look_at_topics(system, search))
        _look_at_tables(system, search)
        system.down()
        _look_at_logs(system, search)
    names = [request["request_id"] for request, _ in written]
    return _report(search, names, planted, responses)


def _report(
    search: Search,
    names: list[str],
    planted: list[dict[str, str]],
    responses: list[dict[str, Any]],
) -> dict[str, Any]:
    found = search.found
    patterns = {*PATTERNS, "ANSWER"}
    texts = {event["request_id"]: event.get("text") or "" for event in responses}
    restored = sum(
        values["CARD"] in texts[name] for name, values in zip(names, planted, strict=True)
    )
    worded = {}
    for kind in WORDED:
        n = sum(kind in values for values in planted)
        seen = len(found.values.get(kind, ()))
        worded[kind] = {"planted": n, "leaked": seen, "ci95": wilson(min(seen, n), n)}
    leaks = {f"{kind} in {place}": n for (kind, place), n in sorted(found.places.items())}
    total = sum(n for (kind, _), n in found.places.items() if kind in patterns)
    return {
        "n": len(planted),
        "ok": total == 0 and restored > 0,
        "occurrences": total,
        "planted": {kind: sum(kind in values for values in planted) for kind in PATTERNS},
        "answered": sum(event["status"] in ("released", "masked") for event in responses),
        "answers_restored": restored,
        "found_by_a_model": worded,
        "leaks": leaks,
        "searched": dict(sorted(found.texts.items())),
    }


async def _through(system: Sandbox, written: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Send the requests and return their responses."""
    connection = system.settings.connection()
    async with AIOKafkaProducer(**client_options(connection), linger_ms=5) as producer:
        for request in written:
            value = orjson.dumps(request | {"sampling": {"max_tokens": 64}})
            await producer.send(REQUESTS.name, value, key=request["request_id"].encode())
        await producer.flush()
    responses: list[dict[str, Any]] = []
    until_s = monotonic() + _PATIENCE_S
    async with Tail(connection, (RESPONSES.name,), from_start=True) as tail:
        while len(responses) < len(written):
            responses += [orjson.loads(record.value or b"{}") for record in await tail.read()]
            if monotonic() > until_s:
                raise ConfigError(f"{len(responses)} of {len(written)} requests were answered")
    await asyncio.sleep(_SETTLED_S)
    return responses


async def _look_at_topics(system: Sandbox, search: Search) -> None:
    connection = system.settings.connection()
    async with AIOKafkaConsumer(**client_options(connection)) as consumer:
        topics = sorted(topic for topic in await consumer.topics() if not topic.startswith("__"))
    async with Tail(connection, topics, from_start=True) as tail:
        async for record in tail.read_to_end():
            search.look_at_record(record)


def _look_at_tables(system: Sandbox, search: Search) -> None:
    client = connect(system.settings.store("reader"))
    try:
        for (table,) in client.query("SHOW TABLES").result_rows:
            rows = client.raw_query(f"SELECT * FROM `{table}` FORMAT JSONEachRow")
            for row in rows.decode("utf-8", "replace").splitlines():
                search.look(row, f"table {table}")
    finally:
        client.close()


def _look_at_logs(system: Sandbox, search: Search) -> None:
    for file in sorted((system.settings.data / "logs").rglob("*")):
        if file.is_file():
            for line in file.read_text(errors="replace").splitlines():
                search.look(line, "logs")
