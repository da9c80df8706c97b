"""Disclaimers that an answer on some matter has to carry."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated

from pydantic import Field, field_validator

from monitors.guard import Scan
from monitors.matching import Expression
from monitors.patterns import Hit, PatternGuard
from monitors.phrases import phrase
from monitors.signs import weighed
from monitors.text import Text
from schemas.base import Name
from schemas.verdicts import Action, Direction
from schemas.written import Written


class Disclaimer(Written):
    """What an answer that touches on a matter has to say.

    Attributes:
        matter: Its name, by which spans are labelled.
        when: Phrases that touch on it, as :func:`monitors.phrases.phrase` reads them.
        says: Phrases of which one has to stand in the answer, anywhere.
    """

    matter: Name
    when: Annotated[tuple[str, ...], Field(min_length=1)]
    says: Annotated[tuple[str, ...], Field(min_length=1)]

    @field_validator("when", "says")
    @classmethod
    def _compiles(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for words in value:
            try:
                empty = re.compile(phrase("", words).regex).fullmatch("") is not None
            except re.error as error:
                raise ValueError(f"{words!r} is no phrase: {error}") from error
            if empty or not words.strip():
                raise ValueError(f"{words!r} is no phrase")
        return value


class Disclaimers(PatternGuard):
    """Flag answers on a matter that lack the disclaimer a policy requires for it.

    >>> guard = Disclaimers(Disclaimers.Options(required=(
    ...     Disclaimer(matter="loans", when=("(loan|credit) ~3 apr",), says=("representative",)),)))
    >>> [scan.score for scan in guard.scan(
    ...     ["The loan has 5 % APR.", "The loan has 5 % APR (representative)."])]
    [0.9, 0.0]
    """

    class Options(Written):
        """What a policy requires.

        Attributes:
            required: The disclaimers, matter by matter.
        """

        required: tuple[Disclaimer, ...] = ()

    name = "disclaimers"
    version = "1"
    directions: tuple[Direction, ...] = (Direction.ANSWER,)
    action = Action.FLAG
    threshold = 0.5
    optional = True
    judges_whole = True

    def __init__(self, options: Options = Options()) -> None:  # noqa: B008 - frozen
        self._weights = {one.matter: 0.9 for one in options.required}
        self._says = {
            one.matter: [re.compile(phrase("", words).regex, re.I | re.A) for words in one.says]
            for one in options.required
        }
        self.expressions: Sequence[Expression] = [
            phrase(one.matter, words) for one in options.required for words in one.when
        ]

    def read(self, text: Text, hits: Iterable[Hit]) -> Scan:
        """Return the scan of ``text``; its spans are what touches on a matter left bare."""
        return weighed(text, self._bare(text, hits), self._weights)

    def _bare(self, text: Text, hits: Iterable[Hit]) -> Iterator[Hit]:
        said: dict[str, bool] = {}
        for hit in hits:
            if hit.label not in said:
                words = text.folded.text
                said[hit.label] = any(one.search(words) for one in self._says[hit.label])
            if not said[hit.label]:
                yield hit
