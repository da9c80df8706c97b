"""A text that many guards read: folded once, and decoded once where something is encoded."""

from __future__ import annotations

from typing import Protocol

from monitors.folding import Folded
from schemas.verdicts import Span


class Source(Protocol):
    """A form of a text in which something can be found, and placed in the text itself.

    Attributes:
        text: What there is to read.
    """

    text: str

    def span(self, start: int, end: int, label: str) -> Span:
        """Return the stretch of the original that became ``text[start:end]``, not empty."""
        ...


class Text:
    r"""One text with what its readers share.

    Args:
        original: The text as it was written.

    >>> Text("z\u200bero").folded.text
    'zero'
    """

    __slots__ = ("_folded", "original")

    def __init__(self, original: str) -> None:
        self.original = original
        self._folded: Folded | None = None

    @property
    def folded(self) -> Folded:
        """The text in plain letters; made when it is first asked for."""
        if self._folded is None:
            self._folded = Folded(self.original)
        return self._folded
