"""Turn records into records: the loop's work for roles that compute, like the gate.

A micro-batch is handed to the step in slices of about 200 ms on a thread, so that heartbeats go on,
and what comes of it is committed with its position in one transaction. A batch that raises is gone
through record by record; the record that fails alone is given up, which is an outcome like any
other. When more than 10 of the last 100 records fail, something else is wrong: the role stops with
nothing committed.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Protocol, TypeVar

from schemas.errors import PipelineError, TransientError
from streams.log import Output, Partition, Position, Record
from streams.loop import Lane

T = TypeVar("T")
logger = logging.getLogger(__name__)

SLICE_S = 0.2
TAKE_RECORDS = 500
WAIT_S = 1.0
FIRST_SLICE = 16
LAST_RECORDS = 100
MOST_FAILURES = 10


class TooManyFailures(PipelineError):
    """So many records fail that the fault is not theirs; the role stops uncommitted."""


class Step(Protocol):
    """What is done to records: a function of them and of the records before, and nothing else.

    Attributes:
        history_ms: How much of a partition's past :meth:`remember` must be shown at an opening.
    """

    history_ms: int

    def forget(self, partition: Partition) -> None:
        """Drop what was remembered of ``partition``; its history, if any, follows."""
        ...

    def remember(self, records: Sequence[Record]) -> None:
        """Take in records that were done before."""
        ...

    def __call__(self, records: Sequence[Record]) -> list[Output]:
        """Return what comes of ``records``; the same records give the same outputs.

        Raises:
            TransientError: To be called again later with the same records.
            Exception: Anything else means that at least one record fails.
        """
        ...

    def give_up(self, record: Record, error: Exception) -> list[Output]:
        """Return what stands in place of the outputs of ``record``, which fails by itself."""
        ...


class Transform:
    """The work of a role that computes; see the module for what it promises.

    Args:
        step: What is done to records.
        executor: The threads it is done on.
        held: Whether a partition's records must wait, because what comes of them has no room.
    """

    def __init__(
        self,
        step: Step,
        executor: Executor,
        held: Callable[[Partition], bool] = lambda partition: False,
    ) -> None:
        self._step = step
        self._executor = executor
        self._held = held
        self._slice = FIRST_SLICE
        self._failed: deque[bool] = deque(maxlen=LAST_RECORDS)

    async def __call__(self, lane: Lane) -> None:
        """Work on ``lane`` until it drains."""
        await self._look_back(lane)
        while not lane.draining:
            if self._held(lane.partition):
                await asyncio.sleep(WAIT_S)
                continue
            records = await lane.take(TAKE_RECORDS, WAIT_S)
            if not records:
                continue
            outputs: list[Output] = []
            done = 0
            while done < len(records):
                part = records[done : done + self._slice]
                outputs += await self._timed(part)
                done += len(part)
            await lane.commit(outputs, Position(records[-1].offset + 1))

    async def _look_back(self, lane: Lane) -> None:
        self._step.forget(lane.partition)
        if not self._step.history_ms:
            return
        before = lane.position.offset
        async for records in lane.log.history(lane.partition, before, self._step.history_ms):
            await self._on_thread(self._step.remember, records)

    async def _timed(self, records: list[Record]) -> list[Output]:
        started_s = time.perf_counter()
        outputs = await self._on_thread(self._attempt, records)
        spent_s = time.perf_counter() - started_s
        if spent_s > SLICE_S:
            self._slice = max(1, self._slice // 2)
        elif spent_s < SLICE_S / 4 and len(records) == self._slice:
            self._slice = min(TAKE_RECORDS, self._slice * 2)
        return outputs

    def _attempt(self, records: Sequence[Record]) -> list[Output]:
        try:
            outputs = self._step(records)
        except TransientError:
            raise
        except Exception:
            if len(records) > 1:
                return [output for record in records for output in self._attempt_one(record)]
            return self._attempt_one(records[0])
        self._failed.extend([False] * len(records))
        return outputs

    def _attempt_one(self, record: Record) -> list[Output]:
        try:
            outputs = self._step([record])
        except TransientError:
            raise
        except Exception as error:
            self._count_failure(record, error)
            return self._step.give_up(record, error)
        self._failed.append(False)
        return outputs

    def _count_failure(self, record: Record, error: Exception) -> None:
        topic, number = record.partition
        logger.error("gives up %s/%d/%d: %s", topic, number, record.offset, type(error).__name__)
        self._failed.append(True)
        if sum(self._failed) > MOST_FAILURES:
            raise TooManyFailures(
                f"{sum(self._failed)} of the last {len(self._failed)} records failed,"
                f" the last with {type(error).__name__}",
                topic=topic,
                partition=number,
                offset=record.offset,
            ) from error

    async def _on_thread(
        self, function: Callable[[Sequence[Record]], T], records: list[Record]
    ) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, function, records)
