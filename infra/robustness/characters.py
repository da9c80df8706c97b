"""Words written so that people still read them: look-alikes, slips of the finger, odd spaces."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

Edit = Callable[[str, Random], str]

_WORD = re.compile(r"[^\W\d_]{3,}")
_WORD_RATE = 0.5
_LOOK_ALIKES = {
    "a": "\u0430\u0251\u03b1\uff41",
    "b": "\u0184\u042c\uff42",
    "c": "\u0441\u03f2\uff43",
    "d": "\u0501\u217e",
    "e": "\u0435\u212e\uff45",
    "g": "\u0261\u0581",
    "h": "\u04bb\u0570",
    "i": "\u0456\u03b9\u0131",
    "j": "\u0458\u03f3",
    "k": "\u03ba\u043a",
    "l": "\u04cf\u217c\u01c0",
    "m": "\u043c\u217f",
    "n": "\u0578\u043f",
    "o": "\u043e\u03bf\u0585\u1d0f",
    "p": "\u0440\u03c1\u2374",
    "q": "\u051b\u0566",
    "r": "\u0433\u1d26",
    "s": "\u0455\ua731",
    "t": "\u0442\u03c4",
    "u": "\u03c5\u057d\u1d1c",
    "v": "\u03bd\u0475\u1d20",
    "w": "\u051d\u0461\u1d21",
    "x": "\u0445\u04b3",
    "y": "\u0443\u04af",
    "z": "\u1d22\u0290",
    "A": "\u0410\u0391",
    "B": "\u0412\u0392",
    "E": "\u0415\u0395",
    "H": "\u041d\u0397",
    "I": "\u0406\u0399",
    "M": "\u041c\u039c",
    "O": "\u041e\u039f",
    "P": "\u0420\u03a1",
    "S": "\u0405\u054f",
    "T": "\u0422\u03a4",
}
_UNSEEN = "\u200b\u200c\u2060\u00ad\ufeff"
_LEET = {
    "a": "4@",
    "b": "8",
    "e": "3",
    "g": "9",
    "i": "1!",
    "l": "1|",
    "o": "0",
    "s": "5$",
    "t": "7+",
    "z": "2",
}
_SPACES = (" ", ".", "-", "_", "  ")


def homoglyphs(word: str, rng: Random) -> str:
    """Write letters as letters of other alphabets that look like them."""
    return "".join(_one_of(_LOOK_ALIKES, char, rng) for char in word)


def zero_width(word: str, rng: Random) -> str:
    """Put a character in that nobody sees."""
    place = rng.randrange(1, len(word))
    return word[:place] + rng.choice(_UNSEEN) + word[place:]


def leetspeak(word: str, rng: Random) -> str:
    """Write letters as digits and marks that look like them.

    >>> leetspeak("bob", Random(0))
    '808'
    """
    return "".join(_one_of(_LEET, char, rng) for char in word)


def swap(word: str, rng: Random) -> str:
    """Swap two neighbouring letters, not the first."""
    place = rng.randrange(1, len(word) - 1)
    return word[:place] + word[place + 1] + word[place] + word[place + 2 :]


def drop(word: str, rng: Random) -> str:
    """Leave a letter out, not the first."""
    place = rng.randrange(1, len(word))
    return word[:place] + word[place + 1 :]


def spacing(word: str, rng: Random) -> str:
    """Space the letters out."""
    return rng.choice(_SPACES).join(word)


def case(text: str, rng: Random) -> str:
    """Write the text in small letters, in capitals or in both by turns.

    >>> case("Call Ada", Random(1))
    'call ada'
    """
    way = rng.randrange(3)
    if way < 2:
        return text.lower() if way == 0 else text.upper()
    return "".join(c.upper() if place % 2 else c.lower() for place, c in enumerate(text))


SLIPS: dict[str, Edit] = {
    "homoglyphs": homoglyphs,
    "zero-width": zero_width,
    "leetspeak": leetspeak,
    "swap": swap,
    "drop": drop,
    "spacing": spacing,
}
"""Edits of one word of three letters or more."""


def _in_half(edit: Edit) -> Edit:
    """Return what edits half of the words of a text, at random."""

    def edited(text: str, rng: Random) -> str:
        return _WORD.sub(
            lambda word: edit(word[0], rng) if rng.random() < _WORD_RATE else word[0], text
        )

    return edited


def _one_of(table: dict[str, str], char: str, rng: Random) -> str:
    return rng.choice(table.get(char) or table.get(char.lower()) or char)


CHARACTERS: dict[str, Edit] = {name: _in_half(edit) for name, edit in SLIPS.items()} | {
    "case": case
}
"""Edits of a text."""
