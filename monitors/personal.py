"""Personal details that have no form of their own: names, addresses, ages, origins."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import ClassVar, Literal, get_args

from pydantic import BaseModel, ConfigDict

from monitors.guard import Cost, Scan
from monitors.matching import Expression
from monitors.patterns import Hit, PatternGuard
from monitors.pii_tagger import shipped_tagger
from monitors.pii_words import gazetteer
from monitors.spans import bounded
from monitors.text import Text
from schemas.verdicts import Action, Direction

Label = Literal[
    "PERSON", "ADDRESS", "PLACE", "ORGANIZATION", "GROUP", "TITLE", "AGE", "DATE", "ZIP"
]
LABELS: tuple[Label, ...] = get_args(Label)
_TELLING = re.compile(r"\d|[^\W\d_a-z]\w*")
_CUES = (
    r"\b(?:my name|name is|names? on|call(?:s|ed)? (?:me|him|her)|born|live[sd]? (?:at|on|in)"
    r"|address(?: is|:)|dear|mr|mrs|ms|dr|prof|regards|sincerely|signed)\b"
)
_SAYING = re.compile(_CUES, re.IGNORECASE)
_CAPITALS = (
    r"[a-z0-9,;:)] [\"'(]?[A-Z][a-z]",
    r"[A-Z][a-z]+(?:'s)?,? [A-Z][a-z]",
    r"[A-Z]{3} [A-Z]{3}",
    r"[A-Z][a-z]+\.? [0-9]",
    r"[0-9][\n,]+ ?[A-Z]",
    r"[\xC3-\xF4][\x80-\xBF]",
)
_AT_ONCE = 400
"""Names in one expression; hyperscan takes no very long ones."""
_ANYTHING = r"[A-Z0-9]"


class Personal(PatternGuard):
    """Find names and addresses of people, for masking; more where a policy asks for it.

    A small model reads each word with its neighbours. It was fitted on made-up sentences only
    (``tidegate train pii``), and its card says how it does on others. Texts in which the common
    pass sees no capital within a sentence, no known name and no phrase such as "my name is" are
    not given to it, which keeps ordinary questions as cheap as they were. Of a text with look-alike
    letters or hidden characters it reads what people see.

    >>> text = "My name is Ada Lovelace and I live at 12 Oak Street"
    >>> [(span.label, text[span.start : span.end]) for span in Personal().scan([text])[0].spans]
    [('PERSON', 'Ada Lovelace'), ('ADDRESS', '12 Oak Street')]
    """

    class Options(BaseModel):
        """What a policy may set.

        Args:
            labels: The kinds of details that are looked for.
        """

        model_config = ConfigDict(frozen=True, extra="forbid")

        labels: tuple[Label, ...] = ("PERSON", "ADDRESS")

    name = "personal"
    version = "2"
    cost: ClassVar[Cost] = Cost.LEARNED
    directions: tuple[Direction, ...] = (Direction.PROMPT, Direction.PASSAGE, Direction.ANSWER)
    action = Action.MASK
    threshold = 0.5

    def __init__(self, options: Options = Options()) -> None:  # noqa: B008 - frozen
        self._labels = frozenset[str](options.labels)
        people_only = self._labels <= {"PERSON", "ADDRESS"}
        self.expressions = _seeds() if people_only else (*_seeds(), _seed(_ANYTHING))

    def read(self, text: Text, hits: Iterable[Hit]) -> Scan:
        """Return the scan of ``text``; its score is 0.8 where something was found, else 0."""
        chars, folded = len(text.original), text.folded
        read = folded.text if folded.is_disguised else text.original
        if not _worth_reading(read):
            return Scan(0.0, chars)
        found = [span for span in shipped_tagger().spans(read) if span.label in self._labels]
        if folded.is_disguised:
            found = [folded.span(span.start, span.end, span.label) for span in found]
        return Scan(0.8 if found else 0.0, chars, bounded(found, "PERSON"))


def _seed(regex: str, caseless: bool = False) -> Expression:
    """Return what makes a text worth a closer look; where it is does not matter."""
    return Expression("PERSONAL", regex=r"\A", seed=regex, caseless=caseless)


@cache
def _seeds() -> tuple[Expression, ...]:
    names = sorted(
        word.title()
        for word, kinds in gazetteer().items()
        if "given" in kinds and "words" not in kinds and word.isascii() and len(word) > 3
    )
    parts = (names[first : first + _AT_ONCE] for first in range(0, len(names), _AT_ONCE))
    known = (_seed(f"(?:{'|'.join(part)})") for part in parts)
    return (*known, _seed(_CUES, caseless=True), *map(_seed, _CAPITALS))


def _worth_reading(text: str) -> bool:
    """Return whether ``text`` has a number, a word with a capital that is no common one, or a cue.

    Most questions have none of these and need no model to say so.
    """
    plain = _plain_words()
    return _SAYING.search(text) is not None or any(
        word[0].lower() not in plain for word in _TELLING.finditer(text)
    )


@cache
def _plain_words() -> frozenset[str]:
    """Return the words that may have a capital and yet be nobody's name."""
    return frozenset(word for word, kinds in gazetteer().items() if kinds <= {"words", "brand"})
