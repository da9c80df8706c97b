"""Put records into the store, each once: the loop's work for the sink.

A batch is declared before it is written. The transaction that commits batch *k* also says, in the
metadata of the position, where batch *k + 1* ends; after a pause, when there is no batch *k*, a
transaction of its own does. Then exactly the records between the committed offset and the declared
end are inserted, under a token made from both. Whoever takes over and finds a declaration inserts
that same batch first, and the store drops it if it has it: a batch cut by time alone would be cut
elsewhere by the successor, and stored twice.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import TypeVar

from schemas.errors import PoisonError, StoreUnavailable
from schemas.topics import DEADLETTER, topic_of
from streams.deadletters import dead_letter, describe, reason_of
from streams.log import Output, Position, Record
from streams.loop import FIRST_PAUSE_S, LONGEST_PAUSE_S, Lane
from streams.rows import rows_of
from streams.sealing import Seal

T = TypeVar("T")
logger = logging.getLogger(__name__)

DECLARED = "declared="
TAKE_RECORDS = 1000
WAIT_S = 1.0


class StoreSink:
    """The work of the sink; see the module for what it promises.

    Args:
        insert: Puts rows into a table under a token, as :meth:`streams.store.Store.insert` does.
        seal: Encrypts the dead letters of records that are no events.
        consumer: The group, as dead letters name it.
        executor: The threads that rows are made and inserted on.
        elsewhere: Topics whose bad records another role sets aside; here they are passed over.
        linger_s: How long a batch may wait for more records.
        batch_records: Records after which it does not wait.
        batch_bytes: Bytes after which it does not wait.
    """

    def __init__(
        self,
        insert: Callable[[str, Sequence[bytes], str], None],
        seal: Seal,
        *,
        consumer: str,
        executor: Executor,
        elsewhere: frozenset[str],
        linger_s: float,
        batch_records: int = 20_000,
        batch_bytes: int = 16 << 20,
    ) -> None:
        self._insert = insert
        self._seal = seal
        self._consumer = consumer
        self._executor = executor
        self._elsewhere = elsewhere
        self._linger_s = linger_s
        self._batch_records = batch_records
        self._batch_bytes = batch_bytes

    async def __call__(self, lane: Lane) -> None:
        """Store what arrives on ``lane`` until it drains."""
        declared = _declared_in(lane.position)
        batch: list[Record] = []
        if declared is not None:
            batch, ahead = await self._up_to(lane, declared)
        else:
            ahead = []
        while not lane.draining:
            if declared is None:
                batch = await self._gather(lane, ahead)
                ahead = []
                if not batch:
                    continue
                declared = batch[-1].offset
                await lane.commit([], Position(lane.position.offset, f"{DECLARED}{declared}"))
            letters = await self._store(lane, batch, declared)
            if letters is None:
                return
            batch = await self._gather(lane, ahead)
            ahead = []
            following = f"{DECLARED}{batch[-1].offset}" if batch else ""
            await lane.commit(letters, Position(declared + 1, following))
            declared = batch[-1].offset if batch else None

    async def _gather(self, lane: Lane, ahead: list[Record]) -> list[Record]:
        """Return the next batch: ``ahead`` and what arrives in time, if the lane does not drain."""
        batch = list(ahead)
        size = sum(len(record.value or b"") for record in batch)
        clock = asyncio.get_running_loop().time
        until_s = clock() + self._linger_s
        while not lane.draining:
            left_s = until_s - clock()
            room = self._batch_records - len(batch)
            if left_s <= 0 or room <= 0 or size >= self._batch_bytes:
                return batch
            taken = await lane.take(min(room, TAKE_RECORDS), left_s)
            batch += taken
            size += sum(len(record.value or b"") for record in taken)
        return []

    async def _up_to(self, lane: Lane, declared: int) -> tuple[list[Record], list[Record]]:
        """Return the declared batch again, and what came after it in the last fetch."""
        batch: list[Record] = []
        while not lane.draining:
            for record in await lane.take(TAKE_RECORDS, WAIT_S):
                batch.append(record)
            if batch and batch[-1].offset >= declared:
                cut = sum(record.offset <= declared for record in batch)
                return batch[:cut], batch[cut:]
        return [], []

    async def _store(self, lane: Lane, batch: list[Record], declared: int) -> list[Output] | None:
        """Insert the batch; None if the lane drains while the store is away."""
        if not batch:
            return []
        topic, number = lane.partition
        kind = topic_of(topic)
        rows, good, bad = await self._on_thread(rows_of, batch)
        first = lane.position.offset
        refused: list[tuple[Record, PoisonError]] = []
        blocks = [(good, rows, f"{topic}-{number}-{first}-{declared}")] if rows else []
        pause_s = FIRST_PAUSE_S
        while blocks:
            records, block, token = blocks[0]
            try:
                await self._on_thread(self._insert, str(kind.table), block, token)
                blocks.pop(0)
                pause_s = FIRST_PAUSE_S
            except StoreUnavailable as error:
                logger.warning("waits for the store: %s", error)
                if lane.draining:
                    return None
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
            except PoisonError as error:
                blocks.pop(0)
                if len(block) == 1:
                    refused.append((records[0], error))
                    continue
                middle = len(block) // 2
                for part in (slice(middle, None), slice(None, middle)):
                    mark = f"{topic}-{number}-{records[part][0].offset}-{records[part][-1].offset}"
                    blocks.insert(0, (records[part], block[part], f"{mark}-part"))
        return self._set_aside(topic, bad, refused)

    def _set_aside(
        self,
        topic: str,
        bad: list[tuple[Record, PoisonError]],
        refused: list[tuple[Record, PoisonError]],
    ) -> list[Output]:
        ours = refused if topic in self._elsewhere else bad + refused
        for record, error in bad + refused:
            logger.error("cannot store %s/%d/%d: %s", *record.partition, record.offset, error)
        if topic == DEADLETTER.name:
            return []
        return [
            dead_letter(
                record, reason_of(error), describe(error), consumer=self._consumer, seal=self._seal
            )
            for record, error in ours
        ]

    async def _on_thread(self, function: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(
            self._executor, function, *arguments
        )


def _declared_in(position: Position) -> int | None:
    _, mark, end = position.metadata.partition(DECLARED)
    return int(end) if mark and end.isdigit() else None
