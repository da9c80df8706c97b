"""The loop against a model of Kafka: whatever happens, everything takes effect exactly once."""

from __future__ import annotations

import asyncio
from collections import Counter

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.log import Partition
from streams.loop import Loop, Work
from streams.memory_log import MemoryLog
from tests.streams import works
from tests.streams.virtual import Inline, run

PARTITIONS = 2
PATIENCE_S = 60.0


class World:
    """One log, the members that come and go on it, and what has taken effect."""

    def __init__(self, kind: str) -> None:
        self.log = MemoryLog({works.INPUT: PARTITIONS, works.OUTPUT: PARTITIONS})
        self.store = works.TokenStore()
        self.kind = kind
        self.appended = 0
        self.running: dict[str, tuple[asyncio.Event, asyncio.Task[None]]] = {}

    def work(self) -> Work:
        """Return the work of one process."""
        if self.kind == "transform":
            return works.transform(Inline())
        if self.kind == "generate":
            return works.generate()
        return works.sink(self.store, Inline())

    def append(self, count: int) -> None:
        """Write ``count`` records as an application would."""
        for _ in range(count):
            number = self.appended
            self.appended += 1
            value = orjson.dumps({"schema_version": 1, "number": number})
            self.log.append(works.INPUT, value, key=str(number % 7).encode())

    def start(self, member: str) -> None:
        """Start a process under the name ``member``; one that runs goes on."""
        if member in self.running:
            return
        loop = Loop(
            self.log, group=works.GROUP, member=member, topics=[works.INPUT], work=self.work()
        )
        stop = asyncio.Event()
        self.running[member] = (stop, asyncio.create_task(loop.run(stop, lambda: None)))

    async def kill(self, member: str) -> None:
        """End a process as ``kill -9`` would: nothing more is written, the group learns late."""
        if member not in self.running:
            return
        _, task = self.running.pop(member)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def stop(self, member: str) -> None:
        """Ask a process to drain, and see it end."""
        if member not in self.running:
            return
        stop, task = self.running.pop(member)
        stop.set()
        await task

    async def expel(self, member: str) -> None:
        """Give a live member's partitions to the others, without telling it."""
        if member in self.running and len(self.running) > 1:
            await self.log.expel(works.GROUP, member)

    def effects(self) -> list[int]:
        """Return the numbers of the records that took effect, repeats included."""
        if self.kind == "sink":
            return [orjson.loads(row)["number"] for row in self.store.rows()]
        return [
            orjson.loads(record.value or b"")["number"] for record in self.log.read(works.OUTPUT)
        ]

    async def settle(self) -> None:
        """Wait, in leaps, until every record has taken effect and is committed."""
        until_s = asyncio.get_running_loop().time() + PATIENCE_S
        while asyncio.get_running_loop().time() < until_s:
            if len(set(self.effects())) == self.appended and await self._all_committed():
                return
            await asyncio.sleep(0.1)
        raise AssertionError(f"{self.appended} appended, {len(set(self.effects()))} took effect")

    async def _all_committed(self) -> bool:
        for number in range(PARTITIONS):
            partition = Partition(works.INPUT, number)
            count = len([r for r in self.log.read(works.INPUT) if r.partition == partition])
            position = await self.log.committed(works.GROUP, partition)
            if position.offset < count:
                return False
        return True


MEMBERS = st.sampled_from("ab")
ACTIONS = st.lists(
    st.tuples(
        st.one_of(
            st.tuples(st.just("append"), st.integers(1, 30)),
            st.tuples(st.just("append"), st.integers(1, 3)),
            st.tuples(st.just("fault"), st.sampled_from(["lost", "unknown", "ok"])),
            st.tuples(st.just("start"), MEMBERS),
            st.tuples(st.just("kill"), MEMBERS),
            st.tuples(st.just("stop"), MEMBERS),
            st.tuples(st.just("expel"), MEMBERS),
        ),
        st.sampled_from([0.0, 0.01, 0.06, 0.15, 0.21, 0.3, 1.0]),
    ),
    min_size=3,
    max_size=25,
)
Actions = list[tuple[tuple[str, int | str], float]]


async def _live_through(kind: str, actions: Actions) -> World:
    """Do each action, wait as long as it says, and let things settle in the end."""
    world = World(kind)
    world.start("a")
    for (verb, what), pause_s in actions:
        if isinstance(what, int):
            world.append(what)
        elif verb == "fault":
            world.log.faults.append(what)
        elif verb == "start":
            world.start(what)
        else:
            await getattr(world, verb)(what)
        await asyncio.sleep(pause_s)
    world.log.faults.clear()
    world.start("a")
    world.start("b")
    await world.settle()
    for member in list(world.running):
        await world.stop(member)
    return world


@pytest.mark.parametrize("kind", ["transform", "generate", "sink"])
@settings(max_examples=400)
@given(actions=ACTIONS)
def test_everything_takes_effect_exactly_once(kind: str, actions: Actions) -> None:
    """Kills, zombies, lost and unknown commits leave each record's effect there once."""
    world = run(_live_through(kind, actions))
    assert Counter(world.effects()) == Counter(range(world.appended))


@settings(max_examples=100)
@given(actions=ACTIONS)
def test_order_within_a_partition_is_kept(actions: Actions) -> None:
    """What a computing role writes to a partition stands in the order in which it was read."""
    world = run(_live_through("transform", actions))
    for number in range(PARTITIONS):
        echoes = [
            orjson.loads(record.value or b"")["number"]
            for record in world.log.read(works.OUTPUT)
            if record.partition.number == number
        ]
        assert echoes == sorted(echoes)
