"""Names and addresses: what is found, and what is left alone."""

from __future__ import annotations

import pytest

from monitors.personal import LABELS, Personal
from monitors.pii_tagger import TAGS, shipped_tagger, tags_of


@pytest.fixture(scope="module")
def everything() -> Personal:
    """Return a guard that looks for every kind of detail."""
    return Personal(Personal.Options(labels=LABELS))


def found(guard: Personal, text: str) -> set[tuple[str, str]]:
    """Return label and text of every span."""
    (scan,) = guard.scan([text])
    return {(span.label, text[span.start : span.end]) for span in scan.spans}


@pytest.mark.parametrize(
    ("text", "label", "value"),
    [
        ("Hello, my name is Margaret Okonkwo and I lost my card", "PERSON", "Margaret Okonkwo"),
        ("Dear Mr. Lindqvist, your card is on its way", "PERSON", "Lindqvist"),
        ("Dear Mr. Lindqvist, your card is on its way", "TITLE", "Mr."),
        ("Please send it to 14 Juniper Lane", "ADDRESS", "14 Juniper Lane"),
        ("I will be in Norway next week", "PLACE", "Norway"),
        ("She works at Halvorsen & Pike Ltd", "ORGANIZATION", "Halvorsen & Pike Ltd"),
        ("We ate Ethiopian food", "GROUP", "Ethiopian"),
        ("He retired at the age of 61", "AGE", "61"),
        ("The meeting is on 3 March 2031", "DATE", "3 March 2031"),
    ],
)
def test_personal_details_are_found(
    everything: Personal, text: str, label: str, value: str
) -> None:
    """Each kind is found, exactly as far as it goes."""
    assert (label, value) in found(everything, text)


@pytest.mark.parametrize(
    "text",
    [
        "Why was my card declined at the ATM?",
        "Can I top up with Apple Pay, Visa or Mastercard?",
        "HOW DO I CLOSE MY ACCOUNT",
        "what is the exchange rate for euros",
        "Thank You Very Much!",
        "",
    ],
)
def test_ordinary_questions_are_left_alone(everything: Personal, text: str) -> None:
    """A question without a detail has no span, whatever its capitals."""
    assert found(everything, text) == set()


def test_only_people_and_their_addresses_are_masked_unless_asked() -> None:
    """Where somebody goes is nobody's name."""
    text = "Anna Kowalska flies to Norway on 3 March 2031"
    assert found(Personal(), text) == {("PERSON", "Anna Kowalska")}


def test_long_texts_are_read_like_short_ones(everything: Personal) -> None:
    """Details at either end and in the middle of many words are found."""
    name = "My name is Margaret Okonkwo. "
    plain = "The fee is charged once a month and shown in the app. " * 60
    (scan,) = everything.scan([name + plain + name + plain + name])
    assert [span.label for span in scan.spans] == ["PERSON"] * 3


def test_labels_become_tags_word_by_word() -> None:
    """The first word of a detail begins it, the others are inside."""
    text = "Ada Lovelace, Leeds"
    (name,) = (s for s in shipped_tagger().spans(f"Dear {text}") if s.label == "PERSON")
    moved = name.model_copy(update={"start": name.start - 5, "end": name.end - 5})
    words, tags = tags_of(text, [moved])
    assert words == ["Ada", "Lovelace", ",", "Leeds"]
    assert [TAGS[tag] for tag in tags] == ["B-PERSON", "I-PERSON", "O", "O"]


@pytest.mark.parametrize(
    "name",
    ["A\u200bda Love\u00adlace", "\u0410d\u0430 L\u043evel\u0430ce", "Ad\u0251 L\u0585velace"],
)
def test_disguised_names_are_found_where_they_stand(name: str) -> None:
    """Look-alike letters and hidden characters deceive neither the model nor the place."""
    text = f"Hello, my name is {name}."
    (scan,) = Personal().scan([text])
    assert [text[span.start : span.end] for span in scan.spans] == [name]
