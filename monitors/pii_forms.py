"""What a kind of personal data looks like: its expression, and which of the hits are really it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from monitors.matching import Expression

Place = tuple[int, int]


def as_matched(match: re.Match[str]) -> Iterator[Place]:
    """Yield the place of ``value``, or of the whole match where there is no such group."""
    yield match.span("value") if "value" in match.re.groupindex else match.span()


@dataclass(frozen=True)
class Form:
    """One form of one kind of personal data.

    Args:
        label: What it is called in spans.
        sureness: How sure it is when it is found, 0 to 1.
        expression: What to look for.
        places: Yields where in a hit the data is; nothing where it merely looks like it.
    """

    label: str
    sureness: float
    expression: Expression
    places: Callable[[re.Match[str]], Iterator[Place]] = as_matched


def checked(valid: Callable[[str], bool]) -> Callable[[re.Match[str]], Iterator[Place]]:
    """Return places of those values only whose letters and digits pass ``valid``."""

    def places(match: re.Match[str]) -> Iterator[Place]:
        for start, end in as_matched(match):
            compact = "".join(char for char in match.string[start:end] if char.isalnum())
            if valid(compact.upper()):
                yield start, end

    return places
