"""What is measured of guards, on its way to the store and the monitors."""

from __future__ import annotations

import pytest

from infra.topics import Layout, apply
from schemas.codec import decode_any
from schemas.topics import EVALUATIONS
from streams.evaluations import record
from streams.log import Connection
from streams.tail import Tail
from tests.infra.events import attacked


@pytest.mark.kafka
async def test_figures_are_written_in_one_transaction(kafka: Connection) -> None:
    """Readers of committed records find every one of them, in order."""
    await apply(kafka, [], Layout(partitions=2))
    events = [attacked().model_copy(update={"attack": name}) for name in ("none", "swap")]
    await record(kafka, events)
    async with Tail(kafka, [EVALUATIONS.name], from_start=True) as tail:
        found = [one async for one in tail.read_to_end()]
    assert [decode_any(EVALUATIONS, one.value) for one in found] == events
    assert {one.key for one in found} == {b"personal"}
