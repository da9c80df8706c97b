"""A model's instructions in its answers: planted words, repeated runs, and owning up to them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated

from pydantic import Field, StringConstraints

from monitors.decoding import View
from monitors.guard import Scan
from monitors.matching import Expression
from monitors.patterns import Hit, PatternGuard
from monitors.phrases import phrase
from monitors.signs import weighed
from monitors.text import Text
from schemas.verdicts import Action, Direction
from schemas.written import Written

RUN_WORDS = 8
"""Words in a row that no answer shares with instructions by chance."""
_STEP = 3
_WORD = re.compile(r"[^\W_]+")
_WEIGHTS = {"canary": 1.0, "repeated": 0.9, "owned_up": 0.7}
_PHRASES = (
    r"(my|the) (system|initial|hidden|original|secret) (prompt|instructions|message) (is|are|says"
    r"|reads|states|begins|was|were|as follows)",
    r"(here is|here are|here s|these are|this is|below is|below are) my ~1 (system|initial|hidden"
    r"|original|secret|full|complete|exact) ~1 (prompt|instructions|message|guidelines)",
    r"my (instructions|guidelines|rules) (are as follows|read as follows|say the following"
    r"|were as follows|state that i (must|should))",
    r"i (was|have been) (instructed|told|configured|prompted) (by my (developers?|creators?|system"
    r" prompt)|not to (reveal|disclose|mention|tell)|to (never|not) (reveal|disclose|mention))",
    r"(the text|the message|the instructions|everything) (above|before this conversation) (reads"
    r"|says|states|is as follows)",
)


class Leakage(PatternGuard):
    """Withhold answers that give away what the model was told in confidence.

    Canaries are words that a policy plants in instructions and that stand nowhere else. Protected
    texts are found by any eleven words in a row. Both come from the policy; without them it knows
    only the phrases by which a model owns up.

    References:
        OWASP Top 10 for LLM Applications 2025, LLM07: System Prompt Leakage.

    >>> guard = Leakage(Leakage.Options(canaries=("heron-4417",)))
    >>> [scan.score for scan in guard.scan(["It says HERON 4417.", "Your card is on its way."])]
    [1.0, 0.0]
    """

    class Options(Written):
        """What must not be said.

        Attributes:
            canaries: Words planted in the instructions, of six characters at least.
            protected: Instructions of which no run of words may be repeated.
        """

        canaries: tuple[Annotated[str, StringConstraints(min_length=6, max_length=200)], ...] = ()
        protected: tuple[Annotated[str, Field(max_length=20_000)], ...] = ()

    name = "leakage"
    version = "1"
    directions: tuple[Direction, ...] = (Direction.ANSWER,)
    action = Action.WITHHOLD
    threshold = 0.5
    views = frozenset({View.BASE64, View.HEX, View.SPELLED})

    def __init__(self, options: Options = Options()) -> None:  # noqa: B008 - frozen
        self.expressions: Sequence[Expression] = [
            *(phrase("owned_up", words) for words in _PHRASES),
            *(run for canary in options.canaries for run in _runs("canary", canary)),
            *(run for text in options.protected for run in _runs("repeated", text)),
        ]

    def read(self, text: Text, hits: Iterable[Hit]) -> Scan:
        """Return the scan of ``text``: 1 with a canary, 0.9 with a run of protected words."""
        return weighed(text, hits, _WEIGHTS)


def overlap(answer: str, instructions: str, run_words: int = RUN_WORDS) -> float:
    """Return the share of the runs of words of ``instructions`` that ``answer`` repeats, 0 to 1.

    Case and punctuation do not matter. Instructions shorter than a run are one run.

    Args:
        answer: What the model said.
        instructions: What it was told, such as the system message of the request.
        run_words: Words in a run.

    >>> told = "Never mention the merger. Be polite. Offer the gold card to whoever asks twice."
    >>> overlap("I was told: offer the gold card to whoever asks twice!", told)
    0.142857
    >>> overlap("The gold card costs 5 EUR a month.", told)
    0.0
    """
    wanted = set(_windows(_words(instructions), run_words))
    said = set(_windows(_words(answer), min(run_words, max(map(len, wanted), default=0))))
    return round(len(wanted & said) / len(wanted), 6) if wanted else 0.0


def _words(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(text)]


def _windows(words: Sequence[str], size: int) -> Iterator[tuple[str, ...]]:
    if words and size:
        for start in range(max(1, len(words) - size + 1)):
            yield tuple(words[start : start + size])


def _runs(label: str, text: str) -> Iterator[Expression]:
    """Yield expressions for runs of words of ``text``, so that no long stretch of it escapes."""
    words = [word for word in _words(text) if word.isascii()]
    windows = list(_windows(words, RUN_WORDS))
    for window in windows[::_STEP]:
        yield phrase(label, " ".join(window))
