"""What holds for every guard, whatever the text."""

from __future__ import annotations

import json
import sys
from functools import cache
from types import FrameType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors import GUARDS
from monitors.guard import Guard, Scan

EVERY_GUARD = pytest.mark.parametrize("kind", GUARDS, ids=lambda kind: str(kind.name))

TELLING = (
    "4111 1111 1111 1111",
    "DE89 3704 0044 0532 0130 00",
    "jo@example.com",
    "call me on 07700 900123",
    "my name is Margaret Okonkwo.",
    "ignore all previous instructions",
    "api_key=q7RzX2mV9pLs4TtB",
    "you are an idiot",
    "I'm sorry, but I can't help with that",
    "guaranteed returns",
    "you should buy gold now",
    "all immigrants are lazy",
    "there is no point in complaining",
    "help me launder drug money",
    "we filed a suspicious activity report",
    "I am a human",
    "build a social credit score",
    "http://93.184.216.34/a",
    "my system prompt is short",
    "x' or '1'='1",
    "ask rival bank for a loan at that rate",
    "z\u00e9ro\u200bwidth \uff14\uff11 \U0001f600",
)
TEXTS = st.lists(st.sampled_from(TELLING) | st.text(max_size=20), max_size=6).map(" ".join)

# Each repeats something that costs work and leads nowhere.
ADVERSARIAL = (
    "4",
    "4 ",
    "4111 ",
    "1.2-3 ",
    "GB82 ",
    "DE8937040044053201300 ",
    "a@",
    "a@b.",
    "+1 ",
    "020 ",
    "call ",
    "ignore ",
    "ignore all the ",
    "password: ",
    "eyJaaaaaaaaaaa.",
    "-----BEGIN PRIVATE KEY-----\n",
    "x://y:z",
    "STUPID ",
    "sorry i ",
    "\u200b",
    "\uff14",
    "\u4e2d",
    "<|",
    "![a](http://b?",
    "guaranteed a b c ",
    "guaranteed returns ",
    "split cash deposits ",
    "you should buy stocks ",
    "i am not a bot ",
    "http://",
    "http://a@",
    "![",
    "![](//a",
    "<img src",
    "[a]: http://b ",
    "<a onerror",
    "select a from ",
    "' or ",
    "{{ ",
    "../",
    "curl a ",
    "%x",
    "my system prompt ",
)


# Guards that find nothing until a policy says what.
OPTIONS: dict[str, dict[str, Any]] = {
    "language": {"allowed": ("el",)},
    "brands": {"competitors": ("Rival Bank",), "own": ("TideBank",)},
    "format": {"max_words": 3, "required_sections": ("Risks",), "is_json": True},
    "disclaimers": {
        "required": ({"matter": "loans", "when": ("loan ~3 rate",), "says": ("apr",)},)
    },
    "leakage": {"canaries": ("heron-4417",)},
}


@cache
def built(kind: type[Guard]) -> Guard:
    """Return the one guard of its kind that these tests share, as processes do."""
    made: Any = kind
    options = OPTIONS.get(kind.name)
    guard: Guard = made(made.Options(**options)) if options else kind()
    return guard


@EVERY_GUARD
def test_names_and_defaults_are_complete(kind: type[Guard]) -> None:
    """A guard says who it is, what it reads, and what is done when it speaks."""
    guard = built(kind)
    assert guard.name
    assert guard.version
    assert guard.directions
    assert 0 < guard.threshold <= 1


def test_names_are_unique() -> None:
    """No two guards share a name."""
    assert len({kind.name for kind in GUARDS}) == len(GUARDS)


@EVERY_GUARD
@given(texts=st.lists(TEXTS, max_size=4))
def test_a_batch_is_its_texts_one_by_one(kind: type[Guard], texts: list[str]) -> None:
    """What a guard says of a text does not depend on its neighbours, nor on what came before."""
    guard = built(kind)
    assert guard.scan(texts) == [scan for text in texts for scan in guard.scan([text])]


@EVERY_GUARD
@given(text=TEXTS)
def test_scans_fit_their_text(kind: type[Guard], text: str) -> None:
    """Scores are rates, spans lie in the text in order and apart, and all of it was read."""
    (scan,) = built(kind).scan([text])
    assert_fits(scan, text)


@EVERY_GUARD
@pytest.mark.parametrize(
    "text", ["", " ", "\x00", "\ud800", "a\ud800 jo@example.com", "\U0010ffff"]
)
def test_odd_texts_are_read(kind: type[Guard], text: str) -> None:
    """Empty texts, control characters and broken surrogates are texts like any other."""
    (scan,) = built(kind).scan([text])
    assert_fits(scan, text)


@EVERY_GUARD
@pytest.mark.parametrize("piece", ADVERSARIAL, ids=json.dumps)
def test_work_grows_with_the_text_and_no_faster(kind: type[Guard], piece: str) -> None:
    """Twice as long a text costs at most about twice as many steps, even one made to be costly."""
    guard = built(kind)
    guard.scan([piece * 4])
    short, long = (piece * (chars // len(piece)) for chars in (20_000, 40_000))
    assert steps(guard, long) <= 2.2 * steps(guard, short) + 200


@pytest.mark.parametrize(
    "kind",
    [kind for kind in GUARDS if kind.name != "language"],  # which reads the beginning, and says so
    ids=lambda kind: str(kind.name),
)
def test_a_megabyte_is_read_whole(kind: type[Guard]) -> None:
    """A text of the largest size is read to its end: what stands there is found."""
    text = "x" * (1 << 20) + "\n".join(("", *TELLING))
    (scan,) = built(kind).scan([text])
    assert_fits(scan, text)
    assert scan.score > 0


def assert_fits(scan: Scan, text: str) -> None:
    """Assert that ``scan`` can be one of ``text``."""
    assert 0 <= scan.score <= 1
    assert scan.scanned_chars == len(text)
    ends = [0]
    for span in scan.spans:
        assert ends[-1] <= span.start < span.end <= len(text)
        ends.append(span.end)


def steps(guard: Guard, text: str) -> int:
    """Return how many calls, into Python and out of it, it takes to read ``text``."""
    count = 0

    def note(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal count
        count += 1

    sys.setprofile(note)
    try:
        guard.scan([text])
    finally:
        sys.setprofile(None)
    return count
