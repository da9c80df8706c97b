"""What a guard is: it reads texts and says how sure it is that each is of the kind it looks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from schemas.verdicts import Action, Direction, Span


@dataclass(frozen=True)
class Scan:
    """What a guard read in one text.

    Args:
        score: How sure the guard is, 0 to 1.
        scanned_chars: How many characters of the text it read.
        spans: Where it found what it looks for, in characters, in order, not overlapping.
    """

    score: float
    scanned_chars: int
    spans: tuple[Span, ...] = ()


class Guard(Protocol):
    """A pure reader of texts; what its score leads to is the policy's business.

    Attributes:
        name: Unique among the guards.
        version: Changes whenever the same text may get another score.
        directions: The sides of the model it reads unless a policy says otherwise.
        action: What is done when it speaks, unless a policy says otherwise.
        threshold: The score from which it speaks, unless a policy says otherwise.
    """

    name: str
    version: str
    directions: tuple[Direction, ...]
    action: Action
    threshold: float

    def scan(self, texts: Sequence[str]) -> list[Scan]:
        """Return one scan per text, in order."""
        ...
