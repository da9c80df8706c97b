"""Personal details that have no form of their own: names, addresses, ages, origins."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import ClassVar, Literal, get_args

from pydantic import BaseModel, ConfigDict

from monitors.guard import Cost, Scan
from monitors.pii_tagger import shipped_tagger
from monitors.pii_words import gazetteer
from monitors.spans import bounded
from schemas.verdicts import Action, Direction

Label = Literal[
    "PERSON", "ADDRESS", "PLACE", "ORGANIZATION", "GROUP", "TITLE", "AGE", "DATE", "ZIP"
]
LABELS: tuple[Label, ...] = get_args(Label)
_TELLING = re.compile(r"\d|[^\W\d_a-z]\w*")
_SAYING = re.compile(r"\b(?:name|names|call me|calls me|called|born|live at|lives at|address)\b")


class Personal:
    """Find names and addresses of people, for masking; more where a policy asks for it.

    A small model reads each word with its neighbours. It was fitted on made-up sentences only
    (``tidegate train pii``), and its card says how it does on others.

    >>> text = "My name is Ada Lovelace and I live at 12 Oak Street, Leeds"
    >>> [(span.label, text[span.start : span.end]) for span in Personal().scan([text])[0].spans]
    [('PERSON', 'Ada Lovelace'), ('ADDRESS', '12 Oak Street, Leeds')]
    """

    class Options(BaseModel):
        """What a policy may set.

        Args:
            labels: The kinds of details that are looked for.
        """

        model_config = ConfigDict(frozen=True, extra="forbid")

        labels: tuple[Label, ...] = ("PERSON", "ADDRESS")

    name = "personal"
    version = "1"
    cost: ClassVar[Cost] = Cost.LEARNED
    directions: tuple[Direction, ...] = (Direction.PROMPT, Direction.PASSAGE, Direction.ANSWER)
    action = Action.MASK
    threshold = 0.5

    def __init__(self, options: Options = Options()) -> None:  # noqa: B008 - frozen
        self._labels = frozenset[str](options.labels)

    def scan(self, texts: Sequence[str]) -> list[Scan]:
        """Return one scan per text; its score is 0.8 where something was found, else 0."""
        return [self._read(text) for text in texts]

    def _read(self, text: str) -> Scan:
        if not _worth_reading(text):
            return Scan(0.0, len(text))
        found = [span for span in shipped_tagger().spans(text) if span.label in self._labels]
        return Scan(0.8 if found else 0.0, len(text), bounded(found, "PERSON"))


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
