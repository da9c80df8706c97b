"""Room on the disk."""

from __future__ import annotations

import shutil
import time
from pathlib import Path


class Room:
    """Whether the disk has become too full to take new requests; looked up once a second.

    Args:
        folder: A folder on that disk.
        min_free_bytes: What must stay free.
    """

    def __init__(self, folder: Path, min_free_bytes: int) -> None:
        self._folder = folder
        self._min_free_bytes = min_free_bytes
        self._looked_at_s = 0.0
        self._short = False

    def is_short(self) -> bool:
        """Return whether less than that is free."""
        now_s = time.monotonic()
        if self._folder.exists() and now_s - self._looked_at_s > 1.0:
            self._looked_at_s = now_s
            self._short = shutil.disk_usage(self._folder).free < self._min_free_bytes
        return self._short
