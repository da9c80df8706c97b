"""One matcher for many expressions, and the texts as their reader sees them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st

from monitors.folding import Folded
from monitors.matching import Expression, Matcher
from monitors.pii import Pii


def test_threads_do_not_disturb_each_other() -> None:
    """One guard serves many threads at once with the same result as one."""
    guard = Pii()
    texts = [f"{'y' * 20_000} card 4111111111111111 {number}" for number in range(64)]
    with ThreadPoolExecutor(8) as pool:
        side_by_side = list(pool.map(lambda text: guard.scan([text]), texts))
    assert side_by_side == [guard.scan([text]) for text in texts]


def test_finds_come_in_the_order_of_the_expressions() -> None:
    """The surest expression comes first, wherever in the text it is found."""
    matcher = Matcher([Expression("B", "b"), Expression("A", "a"), Expression("C", "c")])
    assert [label for label, _ in matcher.find("a b a")] == ["B", "A", "A"]


@given(st.text(max_size=40))
def test_folding_forgets_no_character_of_ascii(text: str) -> None:
    """ASCII is left as it is, and what else there is never becomes longer than it can be placed."""
    folded = Folded(text)
    assert [char for char in text if char.isascii()] == [
        text[place.start]
        for place in (folded.span(n, n + 1, "X") for n in range(len(folded.text)))
        if text[place.start].isascii()
    ]


@given(st.text(max_size=40))
def test_places_after_folding_are_places_before(text: str) -> None:
    """Every folded character stands for one of the original, in the same order."""
    folded = Folded(text)
    starts = [folded.span(n, n + 1, "X").start for n in range(len(folded.text))]
    assert starts == sorted(starts)
    assert all(0 <= start < len(text) for start in starts)
