"""Names in answers."""

from __future__ import annotations

import pytest

from monitors.brands import Brands

GUARD = Brands(
    Brands.Options(
        competitors=("Rival Bank", "ING", "J.P. Example"), own=("TideBank",), unwanted=("cheap",)
    )
)


@pytest.mark.parametrize(
    ("label", "text"),
    [
        ("competitor", "Have you tried rival bank?"),
        ("competitor", "RivalBank is cheaper"),
        ("competitor", "ING has one."),
        ("competitor", "JP Example and J. P. Example"),
        ("misspelt", "Welcome to Tidebank."),
        ("misspelt", "Welcome to Tide Bank."),
        ("unwanted", "That is cheap."),
    ],
)
def test_names_are_found(label: str, text: str) -> None:
    """Whatever the case and what stands between the words."""
    assert label in {span.label for span in GUARD.scan([text])[0].spans}


@pytest.mark.parametrize(
    "text", ["Welcome to TideBank.", "Banking and ing", "A rival of the bank", "cheaper"]
)
def test_other_words_are_left(text: str) -> None:
    """One's own name as it should be, parts of words, and words with others between."""
    assert GUARD.scan([text])[0].score == 0


def test_without_names_everything_passes() -> None:
    """The guard without options finds nothing."""
    assert Brands().scan(["Rival Bank"])[0].score == 0
