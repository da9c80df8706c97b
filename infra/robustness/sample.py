"""What an attack starts from: a text, and the part of it that a guard has to find."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sample:
    """A text of the kind that a guard looks for.

    Args:
        text: What the guard reads, and what is attacked.
        start: Where the part begins that must be found, in characters.
        end: Where it ends, exclusive; the whole text of guards that judge texts, not places.
        beside: What the guard reads with it and no attacker changes, such as an answer's question.
    """

    text: str
    start: int
    end: int
    beside: str = ""

    @property
    def parts(self) -> tuple[str, str, str]:
        """What stands before the part that must be found, that part, and what stands after it."""
        return self.text[: self.start], self.text[self.start : self.end], self.text[self.end :]

    def of(self, before: str, sought: str, after: str) -> Sample:
        """Return the sample with other parts."""
        start = len(before)
        return Sample(before + sought + after, start, start + len(sought), self.beside)


def whole(text: str, beside: str = "") -> Sample:
    """Return the sample of a text that is itself what must be found.

    >>> whole("abc").parts
    ('', 'abc', '')
    """
    return Sample(text, 0, len(text), beside)
