"""The three kinds of work on the loop, each as an echo whose effects can be counted."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import Executor

from schemas.topics import AUDIT
from streams.generate import Generate
from streams.log import Output, Partition, Record
from streams.loop import Work
from streams.sealing import Seal
from streams.store_sink import StoreSink
from streams.transform import Transform

INPUT = AUDIT.name
OUTPUT = "echoes"
GROUP = "echo"
SEAL = Seal(bytes(32))


class Echo:
    """A step that writes what it reads; a record that says ``fail`` raises."""

    history_ms = 0

    def forget(self, partition: Partition) -> None:
        """Remember nothing."""

    def remember(self, records: Sequence[Record]) -> None:
        """Remember nothing."""

    def __call__(self, records: Sequence[Record]) -> list[Output]:
        """Return one output a record."""
        if any(record.value == b"fail" for record in records):
            raise ValueError("told to fail")
        return [Output(OUTPUT, r.key, r.value, r.partition.number) for r in records]

    def give_up(self, record: Record, error: Exception) -> list[Output]:
        """Return the error's class in place of the echo."""
        return [Output(OUTPUT, record.key, type(error).__name__.encode(), record.partition.number)]


class TokenStore:
    """A store that drops a second block under one token, and can be away."""

    def __init__(self) -> None:
        self.blocks: dict[str, list[bytes]] = {}
        self.inserts = 0

    def insert(self, table: str, rows: Sequence[bytes], token: str) -> None:
        """Keep the block, if its token is new; the same token must bring the same rows."""
        self.inserts += 1
        kept = self.blocks.setdefault(token, list(rows))
        assert kept == list(rows), "another batch under the same token"

    def rows(self) -> list[bytes]:
        """Return all rows."""
        return [row for block in self.blocks.values() for row in block]


def transform(executor: Executor) -> Work:
    """Return the echo as a computing role."""
    return Transform(Echo(), executor)


def generate(most: int = 8, pause_s: float = 0.05) -> Work:
    """Return the echo as an answering role, whose answers take unequal times."""

    async def answer(record: Record) -> list[Output]:
        await asyncio.sleep(pause_s * (1 + record.offset % 5))
        return Echo()([record])

    return Generate(answer, Echo().give_up, most=most)


def sink(store: TokenStore, executor: Executor) -> Work:
    """Return the sink, on ``store``."""
    return StoreSink(
        store.insert, SEAL, consumer=GROUP, executor=executor, elsewhere=frozenset(), linger_s=0.2
    )
