"""The fuzzer's property on random bytes, and work in proportion to the text at a megabyte."""

from __future__ import annotations

import gc
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors.folding import Folded
from schemas.verdicts import Direction
from tests.fuzz.reading import read, scanner
from tests.monitors.test_guard_laws import ADVERSARIAL, TELLING

_SHORT_CHARS = 125_000
_LONG_CHARS = 1_000_000
_TRIES = 3
# Eight times the text: linear work takes 8 times as long, quadratic 64.
_RATIO_MAX = 24
_SLACK_S = 0.05

PIECES = st.one_of(
    st.binary(max_size=60),
    st.sampled_from([*TELLING, *ADVERSARIAL]).map(lambda text: text.encode("utf-8", "replace")),
    st.text(max_size=20).map(str.encode),
)


@pytest.fixture(scope="module", autouse=True)
def _built() -> None:
    """Make the databases before anything is timed."""
    read(b"My name is Ada.")


@given(st.lists(PIECES, max_size=8).map(b"".join))
def test_no_bytes_break_a_guard(data: bytes) -> None:
    """Whatever the bytes, every guard reads them and gives a verdict that fits."""
    read(data)


@given(st.binary(max_size=200))
def test_folding_keeps_places(data: bytes) -> None:
    """Every stretch of a folded text has its place in the original."""
    original = data.decode("utf-8", "replace")
    folded = Folded(original)
    for place in range(len(folded.text)):
        span = folded.span(place, place + 1, "X")
        assert 0 <= span.start < span.end <= len(original)


@pytest.mark.slow
@pytest.mark.parametrize("direction", [Direction.PROMPT, Direction.ANSWER])
@pytest.mark.parametrize("piece", sorted({*ADVERSARIAL, *TELLING}), ids=json.dumps)
def test_a_megabyte_made_to_be_costly_is_not(piece: str, direction: Direction) -> None:
    """Eight times the text costs no more than three times what it should, in processor time."""
    short, long = (piece * (chars // len(piece)) for chars in (_SHORT_CHARS, _LONG_CHARS))
    short_s = min(_cpu_s(short, direction) for _ in range(_TRIES))
    allowed_s = _RATIO_MAX * short_s + _SLACK_S
    longs_s = (_cpu_s(long, direction) for _ in range(_TRIES))
    said = f"an eighth of it costs {short_s:.3f} s, the whole more than {allowed_s:.3f} s"
    assert any(long_s <= allowed_s for long_s in longs_s), said


def _cpu_s(text: str, direction: Direction) -> float:
    """Return what reading costs this thread, without rounds of the garbage collector."""
    gc.disable()
    try:
        began_s = time.thread_time()
        scanner().scan([text], direction)
        return time.thread_time() - began_s
    finally:
        gc.enable()
