"""What several signs in one text come to: kinds of sign add up, repetitions do not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from monitors.guard import Scan
from monitors.patterns import Hit
from monitors.spans import disjoint
from monitors.text import Text


def weighed(text: Text, hits: Iterable[Hit], weights: Mapping[str, float]) -> Scan:
    """Return the scan of ``text`` in which ``hits`` were found.

    Args:
        text: What was read.
        hits: The signs found in it.
        weights: How sure one sign of each label is, 0 to 1. Those of different labels add up as
            independent reasons do: the score is 1 minus the product of what each leaves in doubt.
    """
    spans = []
    doubts: dict[str, float] = {}
    for label, match, source in hits:
        spans.append(source.span(*match.span(), label))
        doubts[label] = 1 - weights[label]
    score = 1.0
    for label in sorted(doubts):
        score *= doubts[label]
    return Scan(round(1 - score, 6), len(text.original), disjoint(spans, len(text.original)))
