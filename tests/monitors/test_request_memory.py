"""The memory of requests: bounded, the same after a restart, and true to what came."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import orjson

from monitors.attribution import NO_VALUE
from monitors.request_memory import DIMENSIONS_MAX, LATEST, SAMPLE, VALUES_MAX, RequestMemory
from tests.monitors.observations import NOON


def remember(memory: RequestMemory, numbers: range) -> None:
    """Show the memory requests: every tenth has a mark, even ones have another pool."""
    for number in numbers:
        slot = memory.slot(f"r{number}", NOON + timedelta(seconds=number))
        memory.describe(slot, {"pool": "large" if number % 2 else "small", "of": str(number // 50)})
        memory.mark(slot, ["tenth"] if number % 10 == 0 else [])
        memory.measure(slot, {"latency_s": number % 7})


def test_room_is_bounded_and_the_latest_are_kept() -> None:
    """After many requests the last ones are all there, and a sample of those before."""
    memory = RequestMemory()
    remember(memory, range(8000))
    assert len(memory.times) == LATEST + SAMPLE
    latest = set(
        memory.times[memory.times >= (NOON + timedelta(seconds=8000 - LATEST)).timestamp()]
    )
    assert len(latest) == LATEST
    assert len(set(memory.times)) == LATEST + SAMPLE
    assert len(orjson.dumps(memory.snapshot())) < 90_000


def test_the_sample_is_fair() -> None:
    """Of the earlier requests each stretch has its share, and each its own marks and properties."""
    memory = RequestMemory()
    remember(memory, range(6000))
    sampled = memory.times < (NOON + timedelta(seconds=6000 - LATEST)).timestamp()
    numbers = (memory.times[sampled] - NOON.timestamp()).astype(int)
    early = (numbers < (6000 - LATEST) / 2).mean()
    assert 0.44 < early < 0.56
    assert memory.marked("tenth")[sampled].tolist() == (numbers % 10 == 0).tolist()
    names = [one.name for one in memory.dimensions]
    pool = memory.codes[sampled, names.index("pool")]
    values = memory.dimensions[names.index("pool")].values
    assert [values[code] for code in pool] == ["large" if n % 2 else "small" for n in numbers]
    assert np.array_equal(memory.numbers("latency_s")[sampled], numbers % 7)


def test_a_restart_at_any_place_changes_nothing() -> None:
    """Restored from its snapshot, the memory goes on as it would have."""
    whole, parted = RequestMemory(), RequestMemory()
    for start in range(0, 3000, 500):
        remember(whole, range(start, start + 500))
        stored = orjson.loads(orjson.dumps(parted.snapshot()))
        parted = RequestMemory()
        parted.restore(stored)
        remember(parted, range(start, start + 500))
    assert orjson.dumps(parted.snapshot()) == orjson.dumps(whole.snapshot())


def test_a_request_heard_of_twice_is_one() -> None:
    """A verdict and the answer of one request meet."""
    memory = RequestMemory()
    slot = memory.slot("r1", NOON)
    assert memory.slot("r1", NOON + timedelta(seconds=5)) == slot
    assert memory.request_id(slot) == "r1"


def test_a_property_with_endless_values_stays_small() -> None:
    """Ids among the metadata push each other out, and leave frequent values alone."""
    memory = RequestMemory()
    for number in range(1000):
        slot = memory.slot(f"r{number}", NOON)
        memory.describe(slot, {"user": "often" if number % 4 == 0 else f"u{number}"})
    (dimension,) = memory.dimensions
    assert len(dimension.values) == VALUES_MAX
    often = dimension.values.index("often")
    assert (memory.codes[:, 0] == often).sum() == 250


def test_reserved_dimensions_have_room_whatever_comes_first() -> None:
    """They are there before they have values, and others share what is left."""
    memory = RequestMemory(("pool", "version"))
    slot = memory.slot("r1", NOON)
    memory.describe(slot, {f"label{number}": "x" for number in range(2 * DIMENSIONS_MAX)})
    memory.describe(slot, {"version": "v1"})
    names = [one.name for one in memory.dimensions]
    assert names[:3] == ["pool", "version", "label0"]
    assert len(names) == DIMENSIONS_MAX
    assert memory.codes[0, :3].tolist() == [NO_VALUE, 0, 0]
