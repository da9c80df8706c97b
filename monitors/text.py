"""A text that many guards read: folded once, and decoded once where something is encoded."""

from __future__ import annotations

from typing import Any, Protocol

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

    Attributes:
        ahead: What guards that read many texts at once have found out about this one, by name.

    >>> Text("z\u200bero").folded.text
    'zero'
    """

    __slots__ = ("_folded", "ahead", "original")

    def __init__(self, original: str) -> None:
        self.original = original
        self.ahead: dict[str, Any] = {}
        self._folded: Folded | None = None

    @property
    def folded(self) -> Folded:
        """The text in plain letters; made when it is first asked for."""
        if self._folded is None:
            self._folded = Folded(self.original)
        return self._folded
