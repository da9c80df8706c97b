"""How many records each role has before it, counted from those that were seen.

The end of a topic minus the committed offset would never reach 0: the markers of transactions leave
holes. So the records themselves are counted, from the committed offset on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from streams.bitmap import unpack
from streams.log import Partition, Position

MOST = 20_000
"""Records of a partition that are remembered; "at least so many" is enough to know."""


class Backlog:
    """Counts the unfinished records of groups, in bounded memory.

    Args:
        reads: The topics of each group.
        out_of_order: The groups whose positions carry a bitmap of what is finished ahead.
    """

    def __init__(self, reads: Mapping[str, frozenset[str]], out_of_order: frozenset[str]) -> None:
        self._reads = reads
        self._out_of_order = out_of_order
        self._seen: dict[Partition, deque[int]] = {}
        self._positions: dict[str, Mapping[Partition, Position]] = {group: {} for group in reads}

    def saw(self, partition: Partition, offset: int) -> None:
        """Take in that there is a record."""
        self._seen.setdefault(partition, deque(maxlen=MOST)).append(offset)

    def committed(self, group: str, positions: Mapping[Partition, Position]) -> None:
        """Take in how far a group has come."""
        self._positions[group] = positions
        for partition, offsets in self._seen.items():
            first = self.first_unfinished(partition)
            while offsets and first is not None and offsets[0] < first:
                offsets.popleft()

    def first_unfinished(self, partition: Partition) -> int | None:
        """Return where the group that is furthest behind stands; None if no group reads it."""
        behind = [
            self._positions[group].get(partition, Position(0)).offset
            for group, topics in self._reads.items()
            if partition.topic in topics
        ]
        return min(behind, default=None)

    def unfinished(self, group: str) -> int:
        """Return how many records the group has before it."""
        count = 0
        for partition, offsets in self._seen.items():
            if partition.topic in self._reads[group]:
                position = self._positions[group].get(partition, Position(0))
                ahead: set[int] = set()
                if group in self._out_of_order:
                    ahead = unpack(position.offset, position.metadata)
                count += sum(at >= position.offset and at not in ahead for at in offsets)
        return count
