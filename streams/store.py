"""The store as the sink needs it: blocks of rows under a token, each taken once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Store(Protocol):
    """Where events end up, in tables."""

    def insert(self, table: str, rows: Sequence[bytes], token: str) -> None:
        """Insert ``rows``, each a JSON object, as one block; blocks until they are stored.

        A second block under the same token is dropped, so it must hold the same rows.

        Raises:
            StoreUnavailable: If the store does not answer, or refuses for a passing reason.
            PoisonError: If the store refuses these rows.
        """
        ...
