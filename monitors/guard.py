"""What a guard is: it reads texts and says how sure it is that each is of the kind it looks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeGuard

from pydantic import BaseModel

from schemas.verdicts import Action, Direction, Span


class Cost(StrEnum):
    """What reading a text takes, cheapest first; guards run in this order.

    ``pattern``: microseconds, in the one pass that all such guards share. ``learned``: a model of
    a few megabytes, up to a few milliseconds. ``embedding``: a language model reads the text, tens
    of milliseconds; required only where a policy says so.
    """

    PATTERN = "pattern"
    LEARNED = "learned"
    EMBEDDING = "embedding"


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class Context:
    """What an answer was given to, values masked as in the answer.

    Args:
        question: What the user said last.
        prompt: Everything that the model was told, passages apart, the question included.
        passages: What was retrieved for it.
    """

    question: str
    prompt: str = ""
    passages: tuple[str, ...] = ()


class Guard(Protocol):
    """A pure reader of texts; what its score leads to is the policy's business.

    A guard that looks for expressions is a :class:`monitors.patterns.PatternGuard`, which shares
    one pass over the text with all others. A guard may further have, as attributes of its class:

    - ``cost``: a :class:`Cost`; ``learned`` if it has none.
    - ``optional``: true if it is required only where a policy lists it by name, not by ``all``.
    - ``Options``: a frozen pydantic model with a default for every field that forbids unknown
      ones; its constructor then takes one, ``def __init__(self, options: Options = Options())``,
      and policies set the fields under ``options`` of the guard's rule.
    - ``with_options``: what makes another one of its kind with other options, where its constructor
      takes more than these.

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


class ContextGuard(Guard, Protocol):
    """A guard that judges an answer beside what it was given to.

    It reads answers whole, in the gate. Where that is not known, or there are no passages and it
    needs some, the verdict is ``not_scanned``.

    Attributes:
        needs_passages: Whether it has nothing to say of an answer that no passages came with.
    """

    needs_passages: bool

    def scan_in_context(self, texts: Sequence[str], contexts: Sequence[Context]) -> list[Scan]:
        """Return one scan per answer, in order, each beside its context."""
        ...


def reads_context(guard: Guard) -> TypeGuard[ContextGuard]:
    """Return whether ``guard`` judges answers beside what they were given to."""
    return hasattr(guard, "scan_in_context")


def options_of(guard: Guard | type[Guard]) -> type[BaseModel] | None:
    """Return the model of what a policy may choose about ``guard``; None if there is nothing."""
    options: type[BaseModel] | None = getattr(guard, "Options", None)
    return options


def cost_of(guard: Guard) -> Cost:
    """Return what reading a text takes ``guard``."""
    cost = getattr(guard, "cost", Cost.LEARNED)
    return cost if isinstance(cost, Cost) else Cost(str(cost))
