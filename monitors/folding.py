"""Texts as their reader sees them: plain letters and digits instead of look-alikes."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from schemas.verdicts import Span

# Unicode's confusables (UTS 39): Cyrillic and Greek; then rarer ones, Armenian and phonetic too.
_LOOK_ALIKES = dict(
    zip(
        "аеорсухіјѕԁһтнкмвАЕОРСУХІЈЅТНКМВαοινρτυκχΑΒΕΖΗΙΚΜΝΟΡΤΥΧ"
        "\u0433\u04cf\u051b\u051d\u0461\u0475\u04af\u04bd\u042c\u03f2\u03f3\u03c3\u03b3\u0251\u0261"
        "\u0269\u026a\u026f\u028b\u0263\u0184\u01c0\u212e\u0585\u0578\u057c\u057d\u0570\u0581\u0563"
        "\u0566\u0561\u054f\u1d00\u1d04\u1d05\u1d07\u1d0a\u1d0b\u1d0d\u1d0f\u1d18\u1d1b\u1d1c\u1d20"
        "\u1d21\u1d22\u1d26\ua731\u2374",
        "aeopcyxijsdhthkmbAEOPCYXIJSTHKMBaoivptukxABEZHIKMNOPTYX"
        "rlqwwvyebcjoyagiiwvybleonnuhgqqwSacdejkmoptuvwzrsp",
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

    Attributes:
        text: The folded text.
        is_disguised: Whether the original has look-alikes of Latin letters, or characters that
            nobody sees, so that its words are not what they seem.

    >>> folded = Folded("caf\u00e9 z\u200ber\u043e")
    >>> folded.text
    'cafe zero'
    >>> folded.span(5, 9, "WORD")
    Span(start=5, end=10, label='WORD')
    """

    def __init__(self, original: str) -> None:
        self.text = original
        self.is_disguised = False
        self._origins: list[int] | None = None
        if original.isascii():
            return
        table = {ord(char): _fold(char) for char in set(original)}
        self.text = original.translate(table)
        self.is_disguised = any(
            not plain or chr(place) in _LOOK_ALIKES for place, plain in table.items()
        )
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
