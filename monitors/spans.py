"""Stretches of a text: in order, without overlap, and not too many."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from schemas.verdicts import Span

SPANS_MAX = 256
"""Spans of one guard in one text; it bounds the size of every event made from them."""


def disjoint(spans: Iterable[Span], length: int) -> tuple[Span, ...]:
    """Return ``spans`` in order, leaving out those that overlap one named earlier.

    Args:
        spans: Stretches of one text, the surest first.
        length: The text's length in characters.

    >>> disjoint([Span(start=4, end=9, label="CARD"), Span(start=0, end=5, label="PHONE")], 9)
    (Span(start=4, end=9, label='CARD'),)
    """
    found = list(spans)
    if not found:
        return ()
    taken = bytearray(length)
    kept = []
    for span in found:
        if taken.find(1, span.start, span.end) < 0:
            taken[span.start : span.end] = b"\x01" * (span.end - span.start)
            kept.append(span)
    return tuple(sorted(kept, key=lambda span: span.start))


def bounded(spans: Sequence[Span], label: str) -> tuple[Span, ...]:
    """Return at most :data:`SPANS_MAX` spans: what is beyond them becomes one, gaps included.

    Args:
        spans: Disjoint stretches of one text, in order.
        label: The label of the one that stands for many.
    """
    if len(spans) <= SPANS_MAX:
        return tuple(spans)
    head, tail = spans[: SPANS_MAX - 1], spans[SPANS_MAX - 1 :]
    return (*head, Span(start=tail[0].start, end=tail[-1].end, label=label))


def united(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Return ``spans`` in order, overlapping ones as one with the label of the longer.

    >>> united([Span(start=4, end=6, label="PHONE"), Span(start=0, end=5, label="CARD")])
    (Span(start=0, end=6, label='CARD'),)
    """
    merged: list[Span] = []
    for span in sorted(spans, key=lambda item: (item.start, -item.end, item.label)):
        last = merged[-1] if merged else None
        if last is None or span.start >= last.end:
            merged.append(span)
        elif span.end > last.end:
            longer = max(last, span, key=lambda item: item.end - item.start)
            merged[-1] = Span(start=last.start, end=span.end, label=longer.label)
    return tuple(merged)
