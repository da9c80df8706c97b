"""Rules of conduct as packs of YAML: what to look for, on whose authority, and until when."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field

from monitors.guard import Scan
from monitors.matching import Expression
from monitors.patterns import Hit, PatternGuard
from monitors.phrases import phrase
from monitors.signs import weighed
from monitors.spans import SPANS_MAX
from monitors.text import Text
from schemas.base import Name
from schemas.written import Written, parse, read

FOLDER = Path(__file__).parent / "packs"
_NEAR_CHARS = 240
"""How far from a hit its sentence is looked for."""
_SENTENCE_END = re.compile(r"[.!?](?=\s)|\n")


class Rule(Written):
    """One thing that should not be said, or asked for.

    Patterns are phrases as :func:`monitors.phrases.phrase` reads them.

    Attributes:
        looks_for: What the rule finds, in one sentence.
        source: The law, regulation or guideline behind it, with the article.
        holds_until: The day from which someone has to check that the source still says so.
        patterns: What is looked for.
        weight: How sure one hit is, 0 to 1.
        unless: Phrases that clear a hit when they stand in its sentence.
        disclosed_by: Phrases that clear a hit wherever in the text they stand.
    """

    id: Name
    looks_for: Annotated[str, Field(min_length=20)]
    source: Annotated[str, Field(min_length=8)]
    holds_until: date
    patterns: Annotated[tuple[str, ...], Field(min_length=1)]
    weight: Annotated[float, Field(gt=0, le=1)] = 0.9
    unless: tuple[str, ...] = ()
    disclosed_by: tuple[str, ...] = ()


class RulePack(Written):
    """Rules about one matter.

    Attributes:
        about: What the pack is for, in one sentence.
        unless: As a rule's, for all of them.
        disclosed_by: As a rule's, for all of them.
    """

    name: Name
    about: str
    unless: tuple[str, ...] = ()
    disclosed_by: tuple[str, ...] = ()
    rules: Annotated[tuple[Rule, ...], Field(min_length=1)]


@cache
def load_pack(path: Path) -> RulePack:
    """Return the pack in a file.

    Raises:
        schemas.errors.ConfigError: Naming file, line and key.
    """
    return parse(path, read(path), RulePack)


def packs() -> tuple[RulePack, ...]:
    """Return the packs that ship with Tidegate, by name."""
    return tuple(load_pack(path) for path in sorted(FOLDER.glob("*.yaml")))


def expired(pack: RulePack, at: date) -> tuple[Rule, ...]:
    """Return the rules of ``pack`` that nobody has vouched for on the day ``at``.

    >>> [rule.id for rule in expired(load_pack(FOLDER / "promises.yaml"), date(2020, 1, 1))]
    []
    """
    return tuple(rule for rule in pack.rules if rule.holds_until < at)


class RuleGuard(PatternGuard):
    """A guard that holds texts against one pack of rules.

    Spans are labelled with the rule's id. An expired rule still speaks: that it has expired is
    for :class:`monitors.expiry.PackExpiry` to say.

    Attributes:
        pack: The name of the pack, that of a file without its ending.
    """

    pack: ClassVar[str]
    threshold: float = 0.5

    def __init__(self) -> None:
        pack = load_pack(FOLDER / f"{self.pack}.yaml")
        self._weights = {rule.id: rule.weight for rule in pack.rules}
        self._sentence = {rule.id: _any_of((*pack.unless, *rule.unless)) for rule in pack.rules}
        self._text = {
            rule.id: _any_of((*pack.disclosed_by, *rule.disclosed_by)) for rule in pack.rules
        }
        self.judges_whole = any(by is not None for by in self._text.values())
        self.expressions: Sequence[Expression] = [
            phrase(rule.id, words) for rule in pack.rules for words in rule.patterns
        ]

    def read(self, text: Text, hits: Iterable[Hit]) -> Scan:
        """Return the scan of ``text``: hits whose sentence or text clears them do not count."""
        return weighed(text, self._uncleared(hits), self._weights)

    def _uncleared(self, hits: Iterable[Hit]) -> Iterator[Hit]:
        disclosed: dict[tuple[str, int], bool] = {}
        counts: Counter[str] = Counter()
        for hit in hits:
            if counts[hit.label] == SPANS_MAX:
                continue
            known = (hit.label, id(hit.source))
            if known not in disclosed:
                by = self._text[hit.label]
                disclosed[known] = by is not None and by.search(hit.source.text) is not None
            if disclosed[known]:
                continue
            by = self._sentence[hit.label]
            if by is None or by.search(_sentence_of(hit.match)) is None:
                counts[hit.label] += 1
                yield hit


def _any_of(phrases: Sequence[str]) -> re.Pattern[str] | None:
    """Return what finds any of ``phrases``; None of none."""
    if not phrases:
        return None
    body = "|".join(phrase("", words).regex for words in phrases)
    return re.compile(body, re.ASCII | re.IGNORECASE)


def _sentence_of(match: re.Match[str]) -> str:
    """Return the sentence around a match, as far as it is near."""
    text, (start, end) = match.string, match.span()
    before = text[max(0, start - _NEAR_CHARS) : start]
    after = text[end : end + _NEAR_CHARS]
    ends = list(_SENTENCE_END.finditer(before))
    if ends:
        before = before[ends[-1].end() :]
    stop = _SENTENCE_END.search(after)
    return before + match[0] + (after[: stop.end()] if stop else after)
