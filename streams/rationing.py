"""Which texts there is time for: a sample of the conversations within a budget of texts."""

from __future__ import annotations

from collections import OrderedDict
from zlib import crc32

WINDOW_MS = 10_000
HISTORY_MS = 2 * WINDOW_MS
"""So much of a partition's past makes the same decisions as all of it."""
_REMEMBERED = 2000


class Ration:
    """Decide by a text's conversation, and by the broker's time, whether it is one to work on.

    Of each ten seconds at most ``room`` texts are taken. Where more come, the share of the
    conversations that are taken falls, judged by the ten seconds before, so that a sample is taken
    and not just the first; a sudden burst is cut off. A smaller share is part of the larger.

    Decisions follow from the records alone: a partition read again is decided alike, and asking
    twice about the same record gives the same answer.

    Args:
        share: The part of the conversations, at most.
        room: Texts in ten seconds, at most.

    >>> ration = Ration(share=1.0, room=2)
    >>> [ration.taken(f"c{offset}", offset, at_ms=0) for offset in range(4)]
    [1.0, 1.0, None, None]
    >>> sum(ration.taken(f"c{offset}", offset, at_ms=WINDOW_MS) == 0.5 for offset in range(4, 8))
    2
    """

    def __init__(self, share: float, room: int) -> None:
        self._most = share
        self._room = room
        self._share = share
        self._window = 0
        self._seen = 0
        self._taken = 0
        self._decided: OrderedDict[int, float | None] = OrderedDict()

    def taken(self, key: str, offset: int, at_ms: int) -> float | None:
        """Return the share in force if the text is taken; None if it is not.

        Args:
            key: Its conversation, else its request.
            offset: Where its record stands.
            at_ms: The broker's time of the record, in milliseconds.
        """
        if offset not in self._decided:
            self._decided[offset] = self._decide(key, at_ms)
            if len(self._decided) > _REMEMBERED:
                self._decided.popitem(last=False)
        return self._decided[offset]

    def _decide(self, key: str, at_ms: int) -> float | None:
        window = at_ms // WINDOW_MS
        if window > self._window:
            before = self._seen if window == self._window + 1 else 0
            self._share = min(self._most, self._room / max(1, before))
            self._window, self._seen, self._taken = window, 0, 0
        self._seen += 1
        outside = crc32(key.encode("utf-8", "replace")) >= self._share * 2**32
        if outside or self._taken >= self._room:
            return None
        self._taken += 1
        return self._share
