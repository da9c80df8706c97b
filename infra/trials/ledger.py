"""What every record on Kafka came to: the accounts that must balance whatever happened."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from schemas.codec import decode, peek
from schemas.errors import PoisonError
from schemas.requests import CompletionRequested
from schemas.topics import DEADLETTER, REQUESTS, RESPONSES, VERDICTS
from streams.log import Connection, Partition, Record
from streams.tail import Tail

Place = tuple[int, int]
"""Partition and offset of a record on the request topic."""


@dataclass
class Ledger:
    """Takes in records of all topics, in any order between topics, and says what does not balance.

    Attributes:
        ends: Where each partition was read to.
        records: Records by topic.
        ids: By topic and event id, how often the event is there.
        differing: Event ids that stand on different bytes.
        valid: Requests that can be read.
        verdicts: Verdicts in all scanned texts.
        asked_ms: When the request at each place was written, by the broker's clock.
    """

    ends: dict[Partition, int] = field(default_factory=dict)
    records: Counter[str] = field(default_factory=Counter)
    ids: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    differing: set[str] = field(default_factory=set)
    valid: int = 0
    verdicts: int = 0
    asked_ms: dict[Place, int] = field(default_factory=dict)
    _expected: dict[Place, str] = field(default_factory=dict)
    _ended: defaultdict[Place, list[str]] = field(default_factory=lambda: defaultdict(list))
    _digests: dict[str, bytes] = field(default_factory=dict)

    def take(self, record: Record) -> Place | None:
        """Take in one record; return the place of the request that it ends, if it ends one."""
        topic = record.partition.topic
        self.ends[record.partition] = record.offset + 1
        self.records[topic] += 1
        event = peek(record.value)
        if topic == REQUESTS.name:
            self._ask(record, event)
            return None
        self._identify(topic, event, record.value or b"")
        origin = event.get("origin", {})
        if topic == VERDICTS.name:
            self.verdicts += len(event["verdicts"])
        elif topic in (RESPONSES.name, DEADLETTER.name) and origin["topic"] == REQUESTS.name:
            place = (origin["partition"], origin["offset"])
            self._ended[place].append(_ending(event))
            return place
        return None

    def _ask(self, record: Record, event: dict[str, Any]) -> None:
        metadata = event.get("metadata")
        expected = metadata.get("expect", "") if isinstance(metadata, dict) else ""
        place = (record.partition.number, record.offset)
        self.asked_ms[place] = record.timestamp_ms
        self._expected[place] = expected
        try:
            decode(CompletionRequested, record.value)
        except PoisonError:
            return
        self.valid += 1

    def _identify(self, topic: str, event: dict[str, Any], value: bytes) -> None:
        event_id = str(event.get("event_id"))
        self.ids[topic][event_id] += 1
        digest = blake2b(value, digest_size=8).digest()
        if self._digests.setdefault(event_id, digest) != digest:
            self.differing.add(event_id)

    @property
    def in_flight(self) -> int:
        """How many requests have neither an answer nor a dead letter."""
        return sum(place not in self._ended for place in self.asked_ms)

    @property
    def lost(self) -> list[Place]:
        """Requests that never ended."""
        return sorted(self.asked_ms.keys() - self._ended.keys())

    @property
    def twice(self) -> list[Place]:
        """Requests that ended more than once, or that nobody made."""
        return sorted(
            place
            for place, endings in self._ended.items()
            if len(endings) > 1 or place not in self.asked_ms
        )

    @property
    def otherwise(self) -> Counter[str]:
        """How many requests ended in another way than they had to, by both ways."""
        return Counter(
            f"{expected} -> {ending}"
            for place, expected in self._expected.items()
            for ending in self._ended.get(place, [])
            if expected and ending != expected
        )

    @property
    def endings(self) -> Counter[str]:
        """How many requests ended in which way."""
        return Counter(ending for endings in self._ended.values() for ending in endings)

    def repeats(self, topic: str) -> int:
        """Return how many records of ``topic`` repeat an earlier one's event id."""
        return self.records[topic] - len(self.ids[topic])


def _ending(event: dict[str, Any]) -> str:
    """Return how a response or dead letter says that its request ended."""
    if "status" not in event:
        return str(event["reason"])
    failure = event.get("failure")
    return f"failed:{failure['reason']}" if failure else str(event["status"])


async def read_ledger(connection: Connection, topics: Sequence[str]) -> Ledger:
    """Return the ledger of everything committed on ``topics``, from their start to their end now.

    Raises:
        LogUnavailable: If Kafka does not answer.
    """
    ledger = Ledger()
    async with Tail(connection, topics, from_start=True) as tail:
        async for record in tail.read_to_end():
            ledger.take(record)
    return ledger
