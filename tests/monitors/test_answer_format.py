"""The form of answers."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from monitors.answer_format import AnswerFormat

SCHEMA = {
    "type": "object",
    "properties": {"amount": {"type": "number", "minimum": 0}},
    "required": ["amount"],
}


@pytest.mark.parametrize(
    ("options", "right", "wrong"),
    [
        ({"min_chars": 3}, "Yes", "No"),
        ({"max_chars": 3}, "Yes", "Maybe"),
        ({"max_words": 2}, "Yes, indeed", "Yes, it is"),
        ({"is_json": True}, "[1]", "Here you are: [1]"),
        ({"is_json": True}, '```json\n{"a": 1}\n```', "```json\n{a: 1}\n```"),
        ({"json_schema": SCHEMA}, '{"amount": 5}', '{"amount": -5}'),
        ({"json_schema": SCHEMA}, '{"amount": 5}', "[" * 100_000),
        ({"required_sections": ("Risks",)}, "## Risks:\nMany.", "The risks are many."),
        ({"forbidden_sections": ("Notes",)}, "Notes on this: none", "Fine.\n**Notes**\nNone"),
    ],
)
def test_forms_are_checked(options: dict[str, Any], right: str, wrong: str) -> None:
    """What fulfils the policy scores 0, what does not scores 1."""
    guard = AnswerFormat(AnswerFormat.Options(**options))
    assert [scan.score for scan in guard.scan([right, wrong])] == [0.0, 1.0]


def test_what_is_too_much_is_shown() -> None:
    """The span begins where the answer should have ended."""
    guard = AnswerFormat(AnswerFormat.Options(max_words=2))
    text = "one two three four"
    (span,) = guard.scan([text])[0].spans
    assert text[span.start : span.end] == "three four"


def test_without_options_every_form_will_do() -> None:
    """The guard without options finds nothing wrong."""
    assert [scan.score for scan in AnswerFormat().scan(["", "anything"])] == [0.0, 0.0]


def test_a_broken_schema_is_refused() -> None:
    """A policy's mistake is found when it is read, not at the first answer."""
    with pytest.raises(ValidationError, match="is no JSON Schema"):
        AnswerFormat.Options(json_schema={"type": "thing"})
