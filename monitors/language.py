"""Texts in a language that a deployment does not serve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pydantic import field_validator

from monitors.guard import Cost, Scan
from monitors.languages import LANGUAGES, READ_CHARS, language_of
from schemas.verdicts import Action, Direction
from schemas.written import Written


class Language:
    """Flag texts that are not in one of the languages a policy allows.

    It tells some twenty languages by script and small words; a text too short to tell passes. It
    reads the beginning of a text and says how much that was.

    >>> guard = Language(Language.Options(allowed=("en", "de")))
    >>> [scan.score for scan in guard.scan(["Où est ma carte, et qui est la personne ?", "Hello!"])]
    [0.85, 0.0]
    """

    class Options(Written):
        """What a policy allows.

        Attributes:
            allowed: Codes of ISO 639-1, such as ``en``; any language if there are none.
        """

        allowed: tuple[str, ...] = ()

        @field_validator("allowed")
        @classmethod
        def _known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
            for language in value:
                if language not in LANGUAGES:
                    known = ", ".join(sorted(LANGUAGES))
                    raise ValueError(f"no language {language!r} is known; there are: {known}")
            return value

    name = "language"
    version = "1"
    directions: tuple[Direction, ...] = (Direction.PROMPT, Direction.ANSWER)
    action = Action.FLAG
    threshold = 0.65
    cost: ClassVar[Cost] = Cost.PATTERN
    optional = True

    def __init__(self, options: Options = Options()) -> None:  # noqa: B008 - frozen
        self._allowed = frozenset(options.allowed)

    def scan(self, texts: Sequence[str]) -> list[Scan]:
        """Return one scan per text: how sure it is that its language is not allowed."""
        return [self._read(text) for text in texts]

    def _read(self, text: str) -> Scan:
        read_chars = min(len(text), READ_CHARS)
        if not self._allowed:
            return Scan(0.0, read_chars)
        language, sureness = language_of(text)
        foreign = language and language not in self._allowed
        return Scan(sureness if foreign else 0.0, read_chars)
