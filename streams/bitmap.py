"""Which records after a position are finished, as text that fits the position's metadata."""

from __future__ import annotations

import base64
from collections.abc import Iterable

from streams.log import METADATA_MAX_BYTES

SPAN_MAX = METADATA_MAX_BYTES * 6 - 48
"""Offsets that one bitmap can reach: base64 carries six of its bits in a byte."""


def pack(base: int, finished: Iterable[int]) -> str:
    """Return ``finished``, offsets from ``base`` on, as text.

    Raises:
        ValueError: If one lies :data:`SPAN_MAX` or more after ``base``, or before it.

    >>> sorted(unpack(100, pack(100, {101, 107})))
    [101, 107]
    """
    bits = 0
    for offset in finished:
        if not 0 <= offset - base < SPAN_MAX:
            raise ValueError(f"offset {offset} is out of reach of a bitmap at {base}")
        bits |= 1 << (offset - base)
    return base64.b64encode(bits.to_bytes((bits.bit_length() + 7) // 8, "little")).decode()


def unpack(base: int, packed: str) -> set[int]:
    """Return the offsets that :func:`pack` was given."""
    bits = int.from_bytes(base64.b64decode(packed), "little")
    return {base + index for index in range(bits.bit_length()) if bits >> index & 1}
