"""The error tree is drawn whole, and an error says where it belongs."""

from __future__ import annotations

import re

from schemas import errors
from schemas.errors import ConfigError, DecodeError, PipelineError


def _classes() -> dict[str, type[BaseException]]:
    return {
        name: item
        for name, item in vars(errors).items()
        if isinstance(item, type) and issubclass(item, BaseException)
    }


def _drawn() -> dict[str, int]:
    """Return each class in the docstring's tree with its depth."""
    tree = (errors.__doc__ or "").split("```")[1]
    found = re.finditer(r"^(?P<indent>[│├└─ ]*)(?P<name>[A-Z]\w+)", tree, re.MULTILINE)
    return {match["name"]: len(match["indent"]) // 4 for match in found}


def test_the_docstring_draws_every_class_where_it_stands() -> None:
    """The tree that people read has all classes, each as deep as it is derived."""
    depths = {name: item.__mro__.index(PipelineError) for name, item in _classes().items()}
    assert _drawn() == depths


def test_an_error_says_which_record() -> None:
    """An error about a record ends with its topic, partition and offset, and keeps them."""
    error = DecodeError("no JSON", topic="llm.requests.v1", partition=0, offset=9)
    assert str(error) == "no JSON (at llm.requests.v1/0/9)"
    assert (error.topic, error.partition, error.offset) == ("llm.requests.v1", 0, 9)
    assert str(DecodeError("no JSON")) == "no JSON"


def test_an_error_of_configuration_says_which_line() -> None:
    """What an operator must mend is named by file, line and key, as far as they are known."""
    error = ConfigError("is no number", file="policies/a.yaml", line=3, key="rules.pii.threshold")
    assert str(error) == "policies/a.yaml:3: rules.pii.threshold: is no number"
    assert str(ConfigError("is no number", key="TIDEGATE_X")) == "TIDEGATE_X: is no number"
    assert str(ConfigError("holds nothing", file="policies")) == "policies: holds nothing"
