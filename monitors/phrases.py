"""Phrases as people vary them: words with choices between them and room for others."""

from __future__ import annotations

import re

from monitors.matching import Expression

_GAP = r"[\W_]+"
_OTHER_WORDS = r"(?:[^\W_]+[\W_]+){0,%s}"
_ROOM = re.compile(r"~(\d)")


def phrase(label: str, words: str) -> Expression:
    """Return the expression for a phrase, whatever its case and whatever stands between its words.

    Args:
        label: What the phrase is a sign of.
        words: The words in order; ``(a|b)`` is a choice, ``~3`` room for up to three other words.

    >>> attack = phrase("override", "(ignore|forget) ~2 (rules|instructions)")
    >>> bool(re.search(attack.regex, "IGNORE all the -- rules!", re.IGNORECASE))
    True
    """
    parts = []
    for word in words.split():
        room = _ROOM.fullmatch(word)
        parts.append(_OTHER_WORDS % room[1] if room else word.replace("(", "(?:") + _GAP)
    body = "".join(parts).removesuffix(_GAP)
    return Expression(label, regex=rf"(?<![^\W_]){body}(?![^\W_])", seed=body, caseless=True)
