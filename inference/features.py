"""A text as numbers in a table: its words and pairs of words, hashed."""

from __future__ import annotations

import re
from itertools import pairwise
from zlib import crc32

BUCKETS = 8192
READ_CHARS = 1000

_WORD = re.compile(rb"[a-z0-9']+")


def features(text: str) -> list[int]:
    """Return the buckets of the words and word pairs at the end of ``text``, and of its length.

    Only the last 1,000 characters count: in a conversation that is what was asked last, and the
    time it takes is bounded. An empty text has the bucket of its length.

    >>> features("Where is my card?") == features("where is my CARD")
    True
    """
    words = _WORD.findall(text[-READ_CHARS:].lower().encode(errors="replace"))
    pairs = map(b" ".join, pairwise(words))
    terms = [*words, *pairs, b"#%d" % len(words).bit_length()]
    return [code % BUCKETS for code in map(crc32, terms)]
