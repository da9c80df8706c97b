"""Answers that do not have the form they were asked to have."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, ClassVar

from pydantic import Field, field_validator

from monitors.guard import Cost, Scan
from monitors.spans import disjoint
from schemas.verdicts import Action, Direction, Span
from schemas.written import Written

_FENCE = re.compile(r"\s*```(?:json)?\s*\n(?P<body>[\s\S]*?)\n\s*```\s*")
_WORD = re.compile(r"\S+")


class AnswerFormat:
    """Flag answers that are too short or long, lack a section, or are not the JSON asked for.

    >>> guard = AnswerFormat(AnswerFormat.Options(json_schema={"required": ["iban"]}))
    >>> [scan.score for scan in guard.scan(['{"iban": "x"}', "{}", "Sure!"])]
    [0.0, 1.0, 1.0]
    """

    class Options(Written):
        """The form that a policy asks for.

        Attributes:
            min_chars: Characters an answer has at least.
            max_chars: Characters an answer has at most.
            max_words: Words an answer has at most.
            is_json: Whether an answer is JSON, in a fence or bare.
            json_schema: The JSON Schema that it fulfils; it is JSON then.
            required_sections: Lines, such as headings, that stand in it, whatever their case.
            forbidden_sections: Lines that do not.
        """

        min_chars: Annotated[int, Field(ge=0)] = 0
        max_chars: Annotated[int, Field(ge=1)] | None = None
        max_words: Annotated[int, Field(ge=1)] | None = None
        is_json: bool = False
        json_schema: dict[str, Any] | None = None
        required_sections: tuple[str, ...] = ()
        forbidden_sections: tuple[str, ...] = ()

        @field_validator("json_schema")
        @classmethod
        def _is_schema(cls, value: dict[str, Any] | None) -> dict[str, Any] | None:
            if value is not None:
                _validator(value)
            return value

    name = "format"
    version = "1"
    directions: tuple[Direction, ...] = (Direction.ANSWER,)
    action = Action.FLAG
    threshold = 0.5
    cost: ClassVar[Cost] = Cost.PATTERN
    optional = True

    def __init__(self, options: Options = Options()) -> None:  # noqa: B008 - frozen
        self._options = options
        schema = options.json_schema
        self._validator = None if schema is None else _validator(schema)
        self._required = {_bare(line) for line in options.required_sections}
        self._forbidden = {_bare(line) for line in options.forbidden_sections}

    def scan(self, texts: Sequence[str]) -> list[Scan]:
        """Return one scan per text: 1 if anything is wrong with its form, and where."""
        return [self._read(text) for text in texts]

    def _read(self, text: str) -> Scan:
        wrong = [*self._length(text), *self._sections(text), *self._content(text)]
        places = [span for span in wrong if span is not None]
        return Scan(1.0 if wrong else 0.0, len(text), disjoint(places, len(text)))

    def _length(self, text: str) -> Iterator[Span | None]:
        options = self._options
        if len(text) < options.min_chars:
            yield None
        if options.max_chars is not None and len(text) > options.max_chars:
            yield Span(start=options.max_chars, end=len(text), label="too_long")
        if options.max_words is not None:
            for count, word in enumerate(_WORD.finditer(text)):
                if count == options.max_words:
                    yield Span(start=word.start(), end=len(text), label="too_long")
                    break

    def _sections(self, text: str) -> Iterator[Span | None]:
        if not self._required and not self._forbidden:
            return
        missing, start = set(self._required), 0
        for line in text.splitlines(keepends=True):
            bare = _bare(line)
            missing.discard(bare)
            if bare in self._forbidden:
                yield Span(start=start, end=start + len(line), label="forbidden_section")
            start += len(line)
        if missing:
            yield None

    def _content(self, text: str) -> Iterator[Span | None]:
        if not self._options.is_json and self._validator is None:
            return
        fenced = _FENCE.fullmatch(text)
        try:
            value = json.loads(fenced["body"] if fenced else text)
        except (ValueError, RecursionError):
            yield None
            return
        if self._validator is not None and not self._validator.is_valid(value):
            yield None


def _bare(line: str) -> str:
    """Return a line without what marks it as a heading."""
    return line.strip().strip("#*_: ").lower()


def _validator(schema: dict[str, Any]) -> Any:
    """Return what checks values against ``schema``.

    Raises:
        ValueError: If it is no JSON Schema.
    """
    # Costly to import, and few policies ask for it; it has no stubs.
    from jsonschema import SchemaError  # type: ignore[import-untyped]
    from jsonschema.validators import validator_for  # type: ignore[import-untyped]

    kind = validator_for(schema)
    try:
        kind.check_schema(schema)
    except SchemaError as error:
        raise ValueError(f"is no JSON Schema: {error.message}") from error
    return kind(schema)
