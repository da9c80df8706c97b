"""Texts as their reader sees them: plain letters and digits instead of look-alikes."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from schemas.verdicts import Span

_LOOK_ALIKES = dict(
    zip(
        "аеорсухіјѕԁһтнкмвАЕОРСУХІЈЅТНКМВαοινρτυκχΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
        "aeopcyxijsdhthkmbAEOPCYXIJSTHKMBaoivptukxABEZHIKMNOPTYX",
        strict=True,
    )
)
_TAGS = range(0xE0020, 0xE007F)


class Folded:
    r"""A text folded to plain letters, which remembers where each character came from.

    Wide and styled letters, accents, foreign digits, look-alikes, odd spaces and dashes become
    their ASCII counterparts; what a reader cannot see (zero-width, soft hyphen, marks of
    direction) goes. Takes time in proportion to the text, and next to none for ASCII.

    Args:
        original: The text as it was written.

    >>> folded = Folded("caf\u00e9 z\u200ber\u043e")
    >>> folded.text
    'cafe zero'
    >>> folded.span(5, 9, "WORD")
    Span(start=5, end=10, label='WORD')
    """

    def __init__(self, original: str) -> None:
        self.text = original
        self._origins: list[int] | None = None
        if original.isascii():
            return
        table = {ord(char): _fold(char) for char in set(original)}
        self.text = original.translate(table)
        if any(len(plain) != 1 for plain in table.values()):
            self._origins = [place for place, char in enumerate(original) for _ in table[ord(char)]]

    def span(self, start: int, end: int, label: str) -> Span:
        """Return the stretch of the original that became ``text[start:end]``, not empty."""
        if self._origins is not None:
            start, end = self._origins[start], self._origins[end - 1] + 1
        return Span(start=start, end=end, label=label)


@lru_cache(maxsize=16_384)
def _fold(char: str) -> str:
    if char.isascii():
        return char
    if char in _LOOK_ALIKES:
        return _LOOK_ALIKES[char]
    if ord(char) in _TAGS:
        return chr(ord(char) - 0xE0000)
    category = unicodedata.category(char)
    if category in ("Cf", "Mn", "Me"):
        return ""
    if category == "Zs":
        return " "
    if category == "Pd":
        return "-"
    if category in ("Pi", "Pf"):
        return "'" if char in "\u2018\u2019\u201b\u2039\u203a" else '"'
    if category == "Nd":
        return str(unicodedata.digit(char))
    plain = unicodedata.normalize("NFKD", char).encode("ascii", "ignore").decode()
    return plain or char
