"""A gate for tests: the shipped guards, one deployment ``bank``, a router that is trivial."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import cache
from typing import Any

import orjson
from pydantic import BaseModel

from monitors import GUARDS
from monitors.guard import Guard
from monitors.scanning import Scanner
from schemas.base import Origin
from schemas.codec import decode_any, encode
from schemas.registry import Deployment, Policy, Pool
from schemas.requests import CompletionFinished, Route, Timings
from schemas.topics import COMPLETIONS, REQUESTS, topic_of
from streams.admission import Serving
from streams.gate import Gate
from streams.log import Output, Partition, Record
from streams.sealing import Seal

NOW = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)
SEAL = Seal(bytes(range(32)))
INPUT = Partition(REQUESTS.name, 1)
SHIPPED: list[Guard] = [guard() for guard in GUARDS]
DEFAULT = Policy(name="default")


class ToOnePool:
    """Sends everything to the pool ``small``."""

    def route(self, text: str) -> Route:
        """Return the one way there is."""
        return Route(pool="small", topic="other", difficulty=0.0, reason="the only pool")


@cache
def shipped() -> Scanner:
    """Return the scanner of all shipped guards, which takes a tenth of a second to make."""
    return Scanner(SHIPPED, DEFAULT, time.perf_counter)


def make_gate(
    policy: Policy = DEFAULT,
    guards: list[Guard] = SHIPPED,
    now: datetime = NOW,
    scanner: Scanner | None = None,
) -> Gate:
    """Return a gate that serves the deployment ``bank``, with ``scanner`` if one is given."""
    if scanner is None:
        all_by_default = (policy, guards) == (DEFAULT, SHIPPED)
        scanner = shipped() if all_by_default else Scanner(guards, policy, time.perf_counter)
    serving = Serving(
        deployment=Deployment(name="bank", pools=(Pool(name="small", model="none"),)),
        deployment_version="d1",
        policy=policy,
        policy_version="p1",
        scanner=scanner,
        router=ToOnePool(),
    )
    return Gate(
        {"bank": serving}, SEAL, consumer="tidegate-gate", deadline_s=300.0, now=lambda: now
    )


def request(offset: int = 0, **fields: Any) -> Record:
    """Return a record with a request to ``bank``."""
    given = {"request_id": f"r{offset}", "prompt": "How do I close my account?"}
    return raw(orjson.dumps({"deployment": "bank"} | given | fields), offset)


def raw(value: bytes | None, offset: int = 0) -> Record:
    """Return a record on the request topic, as an application may have written it."""
    return Record(INPUT, offset, NOW_MS + offset, b"any key", value)


def completion(offset: int = 0, **fields: Any) -> Record:
    """Return a record with what a worker made of request ``r<offset>``."""
    finished = CompletionFinished(
        **(
            {
                "event_id": Origin(topic=REQUESTS.name, partition=1, offset=offset).cause("c"),
                "occurred_at": NOW,
                "request_id": f"r{offset}",
                "workspace": "default",
                "deployment": "bank",
                "deployment_version": "d1",
                "policy": "default",
                "policy_version": "p1",
                "requested_at": NOW,
                "deadline_at": NOW.replace(hour=13),
                "origin": Origin(topic=REQUESTS.name, partition=1, offset=offset),
                "pool": "small",
                "model": "m",
                "engine": "scripted",
                "route": ToOnePool().route(""),
                "text": "You can close it in the app.",
                "finish_reason": "stop",
                "timings": Timings(admitted_at=NOW, taken_at=NOW),
                "prompt_sha256": "0" * 64,
                "prompt_chars": 10,
                "worker": "w",
            }
            | fields
        )
    )
    partition = Partition(COMPLETIONS.name, 2)
    return Record(partition, offset, NOW_MS, finished.key.encode(), encode(finished))


def events(outputs: list[Output]) -> dict[str, list[Any]]:
    """Return the events in ``outputs`` by topic, each read by the model its topic promises."""
    found: dict[str, list[BaseModel]] = {}
    for output in outputs:
        found.setdefault(output.topic, []).append(decode_any(topic_of(output.topic), output.value))
    return found
