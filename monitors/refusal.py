"""Answers that decline: apologies in place of help."""

from __future__ import annotations

from collections.abc import Iterable

from monitors.guard import Scan
from monitors.patterns import Hit, PatternGuard
from monitors.phrases import phrase
from monitors.spans import disjoint
from monitors.text import Text
from schemas.verdicts import Action, Direction

_OPENING_CHARS = 160

_CANNOT = r"(cannot|can not|can[\W_]?t|could not|couldn[\W_]?t|(am|m|are|re) (not able|unable))"
_HELP = (
    r"(help|assist|answer|provide|give|do|discuss|comply|fulfil+|share|engage|complete|process"
    r"|create|generate|write|offer|support|continue|respond|advise|disclose|reveal|access|carry)"
)
_PHRASES = (
    rf"(i|we) ~1 {_CANNOT} ~2 {_HELP}",
    r"(i|we) ((am|are) not|m not|re not) ~1 (allowed|permitted|able|comfortable|authori[sz]ed)",
    r"(i|we) (must|have to|need to|will have to) ~1 (decline|refuse)",
    r"(i|we) (won[\W_]?t|will not|refuse to|decline to|would rather not) ~1 " + _HELP,
    r"(sorry|apologi[sz]e|apologies|regret|unfortunately|afraid) ~2 (i|we|that) ~1 " + _CANNOT,
    r"as an? ~3 (ai|language model|artificial intelligence|assistant) ~2 (i|my)",
    r"(against|violates?|outside) (my|our) ~2 (guidelines|polic(y|ies)|programming|scope|rules)",
    r"(this|that|your) (request|question|topic) (is|goes) ~2 (against|beyond|outside)",
)


class Refusal(PatternGuard):
    """Flag answers that decline the request, so that a rise in refusals is seen.

    A refusal is said at the beginning; the same words further on are a remark within an answer and
    count half.

    >>> [scan.score for scan in Refusal().scan(["I'm sorry, but I can't help with that.", "Yes."])]
    [0.9, 0.0]
    """

    name = "refusal"
    version = "1"
    directions: tuple[Direction, ...] = (Direction.ANSWER,)
    action = Action.FLAG
    threshold = 0.5
    expressions = tuple(phrase("refusal", words) for words in _PHRASES)

    def read(self, text: Text, hits: Iterable[Hit]) -> Scan:
        """Return the scan of ``text``: 0.9 for a refusal at its beginning, 0.45 further on."""
        chars = len(text.original)
        found = [source.span(*match.span(), kind) for kind, match, source in hits]
        spans = disjoint(found, chars)
        if not spans:
            return Scan(0.0, chars)
        return Scan(0.9 if spans[0].start < _OPENING_CHARS else 0.45, chars, spans)
