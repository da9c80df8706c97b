"""Two halves of any data, the same for everyone: one to fit on, one to report on."""

from __future__ import annotations

import hashlib
from typing import Literal


def half(text: str) -> Literal["fit", "report"]:
    """Return the half in which ``text`` lies, decided by its digest alone.

    >>> half("a"), half("d")
    ('fit', 'fit')
    """
    return "fit" if hashlib.sha256(text.encode()).digest()[0] & 1 == 0 else "report"
