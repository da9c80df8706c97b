"""Kafka as Faust must read and write it here: committed records, none lost, sends that hold.

Out of the box Faust reads records of aborted transactions; its committed offset stands still at
transaction markers, or passes records that nobody has seen; and around a rebalance it drops records
it has fetched without going back for them. With this transport

- only records of committed transactions are seen;
- every record is delivered to the app at least once, whoever joins, leaves or dies;
- the committed offset is that of the first record delivered and not acknowledged, and a record
  fetched before a rebalance is not acknowledged after it;
- a send is retried until it is stored, once and in order, or its future raises.

It reaches into private parts of Faust and aiokafka, hence the narrow pins on both.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage, Message
from faust.types.transports import TPorTopicSet
from mode.utils.futures import notify

GATHERED_BYTES = 64 << 10
PATIENCE_MS = 250
"""How long the broker may gather records before it hands over fewer than that."""


class _CommittedThread(driver.AIOKafkaConsumerThread):
    def _create_worker_consumer(self, transport: driver.Transport) -> AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        consumer._isolation_level = "read_committed"
        # A few answers a second, not one a record: each costs broker and app the same.
        consumer._fetch_min_bytes = GATHERED_BYTES
        consumer._fetch_max_wait_ms = PATIENCE_MS
        return consumer


class _Forgetful(dict[TP, int | None]):
    """Stands where Faust keeps the last offset read, by which it drops what it reads again.

    What it reads again it may have thrown away before, so it is told that nothing has been read.
    """

    def __getitem__(self, tp: TP) -> None:
        return None

    def __setitem__(self, tp: TP, offset: int | None) -> None:
        return None

    def update(self, *_: Any, **__: Any) -> None:
        return None


class CommittedConsumer(driver.Consumer):
    """Delivers every committed record and commits no further than what was acknowledged."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._read_offset = _Forgetful()
        self._open: defaultdict[TP, set[int]] = defaultdict(set)
        self._next: dict[TP, int] = {}

    def _new_consumer_thread(self) -> driver.AIOKafkaConsumerThread:
        return _CommittedThread(self, loop=self.loop, beacon=self.beacon)

    def _to_message(self, tp: TP, record: Any) -> ConsumerMessage:
        if self.app.topics.acks_enabled_for(tp.topic):
            self._open[tp].add(record.offset)
            self._next[tp] = max(self._next.get(tp, 0), record.offset + 1)
        return super()._to_message(tp, record)

    def ack(self, message: Message) -> bool:
        """Take ``message`` for done, unless its partition was handed out anew since it was read."""
        if message.acked or message.generation_id != self.app.consumer_generation_id:
            return False
        message.acked = True
        self._unacked_messages.discard(message)
        self._open[message.tp].discard(message.offset)
        notify(self._waiting_for_ack)
        return True

    def _filter_tps_with_pending_acks(self, topics: TPorTopicSet | None = None) -> Iterator[TP]:
        for tp in self._next:
            if topics is None or tp in topics or tp.topic in topics:
                yield tp

    def _new_offset(self, tp: TP) -> int:
        return min(self._open[tp], default=self._next[tp])

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Start counting afresh: what is not committed by now will be read again."""
        self._open.clear()
        self._next.clear()
        await super().on_partitions_assigned(assigned, generation_id)

    async def perform_seek(self) -> None:
        """Go back to what is committed, or to the beginning, before anything is delivered.

        Faust empties its queues after this and then starts the flow of records. Left to itself it
        lets them flow meanwhile, and what has come into the queues is lost.
        """
        self.stop_flow()
        await super().perform_seek()
        acking = self.app.topics.acks_enabled_for
        fresh = {
            tp for tp in self.assignment() if acking(tp.topic) and not self._committed_offset[tp]
        }
        if fresh:
            await self._thread.seek_to_beginning(*driver.ensure_aiokafka_TPset(fresh))

    def ends(self, topics: Collection[str]) -> dict[TP, int]:
        """Return, per partition of ``topics`` read here, the offset after its last record so far.

        Records of open transactions count as not there yet.
        """
        reader = self._thread._ensure_consumer()
        mine = [tp for tp in self.assignment() if tp.topic in topics]
        found = {tp: reader.last_stable_offset(tp) for tp in driver.ensure_aiokafka_TPset(mine)}
        return {TP(*tp): end for tp, end in found.items() if end is not None}

    async def is_past(self, ends: Mapping[TP, int]) -> bool:
        """Return whether every record before ``ends`` was delivered and acknowledged."""
        for tp in set(ends) & self.assignment():
            position = await self.position(tp)
            if position is None or min(self._open[tp], default=position) < ends[tp]:
                return False
        return True


class IdempotentProducer(driver.Producer):
    """Sends every record once, in order, and waits for all replicas in sync."""

    def _settings_extra(self) -> Mapping[str, Any]:
        return {"acks": "all", "enable_idempotence": True}


class CommittedTransport(driver.Transport):
    """Faust's Kafka transport with both of the above."""

    Consumer = CommittedConsumer
    Producer = IdempotentProducer
