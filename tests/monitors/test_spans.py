"""Stretches of a text, sorted out."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from monitors.spans import SPANS_MAX, bounded, disjoint, united
from schemas.verdicts import Span

LENGTH = 30
SPANS = st.lists(
    st.tuples(st.integers(0, LENGTH - 1), st.integers(1, LENGTH), st.sampled_from("AB")).map(
        lambda drawn: Span(
            start=min(drawn[0], drawn[1]), end=max(drawn[0] + 1, drawn[1]), label=drawn[2]
        )
    ),
    max_size=8,
)


def places(spans: tuple[Span, ...] | list[Span]) -> set[int]:
    """Return every character that ``spans`` cover."""
    return {place for span in spans for place in range(span.start, span.end)}


@given(SPANS)
def test_united_spans_cover_the_same_apart(spans: list[Span]) -> None:
    """Uniting loses no character and leaves no overlap."""
    joined = united(spans)
    assert places(joined) == places(spans)
    assert sum(span.end - span.start for span in joined) == len(places(joined))


@given(SPANS)
def test_disjoint_spans_keep_the_surest(spans: list[Span]) -> None:
    """The first span stays, the others only where it leaves room, all in order."""
    kept = disjoint(spans, LENGTH)
    assert set(kept) <= set(spans)
    assert list(kept) == sorted(kept, key=lambda span: span.start)
    assert sum(span.end - span.start for span in kept) == len(places(kept))
    assert not spans or spans[0] in kept


def test_too_many_spans_end_in_one() -> None:
    """What is beyond the bound is covered by one span, so nothing of it stays readable."""
    many = [Span(start=3 * n, end=3 * n + 2, label="CARD") for n in range(SPANS_MAX * 2)]
    few = bounded(many, "PII")
    assert len(few) == SPANS_MAX
    assert places(many) <= places(few)
    assert few[-1].label == "PII"
