"""Names in answers: competitors', one's own misspelt, and words a house does not use."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated

from pydantic import StringConstraints

from monitors.guard import Scan
from monitors.matching import Expression
from monitors.patterns import Hit, PatternGuard
from monitors.signs import weighed
from monitors.text import Text
from schemas.verdicts import Action, Direction
from schemas.written import Written

_WEIGHTS = {"competitor": 0.8, "misspelt": 0.6, "unwanted": 0.8}
_ABBREVIATION_CHARS = 4
_PART = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|[0-9]+|[^\W_]+|&")
ShownName = Annotated[str, StringConstraints(min_length=2, max_length=100, pattern=r"[A-Za-z0-9]")]


class Brands(PatternGuard):
    """Flag answers that name competitors, misspell the house's own names or use unwanted words.

    Case does not matter, but for names of up to four letters: ``ING`` is a bank, ``ing`` is not.

    >>> guard = Brands(Brands.Options(competitors=("Rival Bank",), own=("TideBank",)))
    >>> [scan.spans[0].label for scan in guard.scan(["Try rival-bank.", "Welcome to Tidebank!"])]
    ['competitor', 'misspelt']
    """

    class Options(Written):
        """What a policy says of names.

        Attributes:
            competitors: Names that answers do not mention.
            own: The house's names as they are to be written.
            unwanted: Other words and phrases that answers do not use.
        """

        competitors: tuple[ShownName, ...] = ()
        own: tuple[ShownName, ...] = ()
        unwanted: tuple[ShownName, ...] = ()

    name = "brands"
    version = "1"
    directions: tuple[Direction, ...] = (Direction.ANSWER,)
    action = Action.FLAG
    threshold = 0.5
    optional = True

    def __init__(self, options: Options = Options()) -> None:  # noqa: B008 - frozen
        self._own = frozenset(options.own)
        self.expressions: Sequence[Expression] = [
            *(_named("competitor", name) for name in options.competitors),
            *(_named("misspelt", name) for name in options.own),
            *(_named("unwanted", name) for name in options.unwanted),
        ]

    def read(self, text: Text, hits: Iterable[Hit]) -> Scan:
        """Return the scan of ``text``; a name of the house written as it should be is none."""
        return weighed(text, self._wrong(hits), _WEIGHTS)

    def _wrong(self, hits: Iterable[Hit]) -> Iterator[Hit]:
        for hit in hits:
            if hit.label != "misspelt" or hit.match[0] not in self._own:
                yield hit


def _named(label: str, name: str) -> Expression:
    words = [word for word in _PART.findall(name) if word.isascii()]
    body = r"[\W_]{0,3}".join(re.escape(word) for word in words)
    short = len(name) <= _ABBREVIATION_CHARS
    regex = rf"(?<![^\W_]){body}(?![^\W_])"
    return Expression(label, regex=regex, seed=body, caseless=not short)
