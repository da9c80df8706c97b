"""Request ids seen lately: what makes ``request_id`` an idempotency key."""

from __future__ import annotations

from collections import OrderedDict

MOST_IDS = 200_000
WINDOW_MS = 15 * 60 * 1000


class Seen:
    """The ids of one partition's last quarter of an hour, by the broker's clock.

    Asking twice about the same record gives the same answer, so a batch may be gone through again.

    >>> seen = Seen()
    >>> seen.is_repeat("r1", offset=5, at_ms=0), seen.is_repeat("r1", offset=5, at_ms=0)
    (False, False)
    >>> seen.is_repeat("r1", offset=9, at_ms=1000)
    True
    """

    def __init__(self) -> None:
        self._first: OrderedDict[str, tuple[int, int]] = OrderedDict()

    def is_repeat(self, request_id: str, offset: int, at_ms: int) -> bool:
        """Return whether an earlier record had this id; remember it if not.

        Args:
            request_id: The id.
            offset: Where the record stands.
            at_ms: The broker's time of the record, in milliseconds.
        """
        self._drop_older(at_ms - WINDOW_MS)
        known = self._first.get(request_id)
        if known is not None:
            return known[0] < offset
        self._first[request_id] = (offset, at_ms)
        if len(self._first) > MOST_IDS:
            self._first.popitem(last=False)
        return False

    def _drop_older(self, than_ms: int) -> None:
        while self._first:
            oldest = next(iter(self._first.values()))
            if oldest[1] >= than_ms:
                return
            self._first.popitem(last=False)
