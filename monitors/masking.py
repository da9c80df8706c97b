"""Values out of a text and back in: placeholders that cannot be mistaken."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping

from monitors.spans import united
from schemas.verdicts import Span

PLACEHOLDER = re.compile(r"\[([A-Za-z0-9][A-Za-z0-9._-]{0,127}?)_([1-9][0-9]{0,8})\]")


class Numbering:
    """The placeholders of one request: the same value has the same one in all of its texts.

    A number is given once per label, and never one that the texts seen so far use by themselves.

    >>> numbering = Numbering()
    >>> numbering.reserve("the model must not touch [CARD_1]")
    >>> numbering.placeholder("CARD", "4111 1111 1111 1111")
    '[CARD_2]'
    """

    def __init__(self) -> None:
        self._given: dict[tuple[str, str], str] = {}
        self._values: dict[str, str] = {}
        self._reserved: set[str] = set()
        self._last: Counter[str] = Counter()

    def reserve(self, text: str) -> None:
        """Leave what looks like a placeholder in ``text`` alone: never give it to a value."""
        self._reserved.update(match[0] for match in PLACEHOLDER.finditer(text))

    def stands_for_value(self, placeholder: str) -> bool:
        """Return whether ``placeholder`` was given to a value."""
        return placeholder in self._values

    def placeholder(self, label: str, value: str) -> str:
        """Return the placeholder of ``value``, a new one if it has none."""
        if (label, value) not in self._given:
            new = self._next(label)
            self._given[label, value] = new
            self._values[new] = value
        return self._given[label, value]

    def _next(self, label: str) -> str:
        while True:
            self._last[label] += 1
            candidate = f"[{label}_{self._last[label]}]"
            if candidate not in self._reserved and candidate not in self._values:
                return candidate


def mask(text: str, spans: Iterable[Span], numbering: Numbering) -> tuple[str, dict[str, str]]:
    """Return ``text`` with each span replaced by its placeholder, and what they stand for.

    :func:`restore` with the returned mapping gives ``text`` back, whatever it holds: a text that
    already uses a placeholder given to a value has that stretch masked as well.

    Args:
        text: The text to mask.
        spans: Where the values are; they may overlap and come from several guards.
        numbering: The request's placeholders so far; it is added to.

    >>> text = "card 4111111111111111"
    >>> mask(text, [Span(start=5, end=21, label="CARD")], Numbering())
    ('card [CARD_1]', {'[CARD_1]': '4111111111111111'})
    """
    spans = [*spans, *_taken(text, numbering)]
    numbering.reserve(text)
    parts, mapping, end = [], {}, 0
    for span in united(spans):
        value = text[span.start : span.end]
        placeholder = numbering.placeholder(span.label, value)
        mapping[placeholder] = value
        parts += [text[end : span.start], placeholder]
        end = span.end
    return "".join([*parts, text[end:]]), mapping


def restore(text: str, mapping: Mapping[str, str]) -> str:
    """Return ``text`` with the values that ``mapping`` knows put back, each once.

    >>> restore("card [CARD_1], not [CARD_2]", {"[CARD_1]": "4111111111111111"})
    'card 4111111111111111, not [CARD_2]'
    """
    return PLACEHOLDER.sub(lambda match: mapping.get(match[0], match[0]), text)


def _taken(text: str, numbering: Numbering) -> list[Span]:
    """Return where ``text`` itself uses placeholders that stand for a value of the request."""
    return [
        Span(start=match.start(), end=match.end(), label=match[1])
        for match in PLACEHOLDER.finditer(text)
        if numbering.stands_for_value(match[0])
    ]
