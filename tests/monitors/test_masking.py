"""Masked texts come back whole, whatever they hold."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from monitors.masking import Numbering, mask, restore
from monitors.personal import Personal
from monitors.pii import Pii
from schemas.verdicts import Span

LABELS = st.sampled_from(["CARD", "IBAN", "A_1"])
PIECES = st.sampled_from(["[CARD_1]", "[CARD_2]", "[A_1_1]", "[CARD_", "1]", "[", "]", "4111", "x"])
TEXTS = st.lists(PIECES | st.text(max_size=4), max_size=8).map("".join)


@st.composite
def marked(draw: st.DrawFn) -> tuple[str, list[Span]]:
    """Return a text with spans anywhere in it, overlapping or not."""
    text = draw(TEXTS)
    if not text:
        return text, []
    starts = draw(st.lists(st.integers(0, len(text) - 1), max_size=4))
    return text, [
        Span(start=start, end=draw(st.integers(start + 1, len(text))), label=draw(LABELS))
        for start in starts
    ]


@given(st.lists(marked(), max_size=4))
def test_every_text_of_a_request_comes_back(texts: list[tuple[str, list[Span]]]) -> None:
    """Texts that hold placeholders of their own, in any order, are restored to the letter."""
    numbering = Numbering()
    known: dict[str, str] = {}
    masked = []
    for text, spans in texts:
        hidden, values = mask(text, spans, numbering)
        known |= values
        masked.append(hidden)
    assert [restore(hidden, known) for hidden in masked] == [text for text, _ in texts]


@given(st.lists(marked(), max_size=4))
def test_placeholders_and_values_are_one_to_one(texts: list[tuple[str, list[Span]]]) -> None:
    """No placeholder ever stands for two values of a request."""
    numbering = Numbering()
    known: dict[str, str] = {}
    for text, spans in texts:
        for placeholder, value in mask(text, spans, numbering)[1].items():
            assert known.setdefault(placeholder, value) == value


def test_the_same_value_has_the_same_placeholder() -> None:
    """A card named twice, in two texts, is one card to the model."""
    numbering = Numbering()
    masked = []
    for text in ("pay from 4111111111111111", "4111111111111111 or 4242424242424242?"):
        (scan,) = Pii().scan([text])
        masked.append(mask(text, scan.spans, numbering)[0])
    assert masked == ["pay from [CARD_1]", "[CARD_1] or [CARD_2]?"]


def test_a_placeholder_of_the_prompt_stays_one_in_the_answer() -> None:
    """What the model repeats is restored; a value it made up gets a number of its own."""
    numbering = Numbering()
    numbering.reserve("pay from [CARD_1]")
    answer = "[CARD_1] is fine, 4242424242424242 is not"
    (scan,) = Pii().scan([answer])
    masked, made_up = mask(answer, scan.spans, numbering)
    assert masked == "[CARD_1] is fine, [CARD_2] is not"
    assert restore(masked, {"[CARD_1]": "4111"}) == "4111 is fine, [CARD_2] is not"
    assert made_up == {"[CARD_2]": "4242424242424242"}


def test_a_forged_placeholder_reveals_nothing() -> None:
    """A placeholder that the customer typed comes back as typed, not as another's value."""
    numbering = Numbering()
    _, first = mask("4111", [Span(start=0, end=4, label="CARD")], numbering)
    masked, second = mask("what is [CARD_1]?", [], numbering)
    assert masked == "what is [CARD_2]?"
    assert restore(masked, first | second) == "what is [CARD_1]?"


def test_names_and_addresses_are_put_back_as_they_were() -> None:
    """What a model finds is masked and restored like any other value, line breaks included."""
    text = "My name is Margaret Okonkwo.\nI live at 14 Juniper Lane,\nLeeds, card 4111111111111111"
    spans = [span for guard in (Pii(), Personal()) for span in guard.scan([text])[0].spans]
    masked, mapping = mask(text, spans, Numbering())
    assert "Okonkwo" not in masked
    assert "Juniper" not in masked
    assert "4111" not in masked
    assert restore(masked, mapping) == text
