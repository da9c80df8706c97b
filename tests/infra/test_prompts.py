"""Requests out of files that people have."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.prompts import read_requests, request_for
from schemas.errors import ConfigError


def written(tmp_path: Path, *lines: str) -> Path:
    """Return a file of ``lines``."""
    path = tmp_path / "prompts.jsonl"
    path.write_text("\n".join(lines))
    return path


def test_a_prompt_becomes_a_request() -> None:
    """A deployment and a longest answer are taken over; every request has an id of its own."""
    first, second = request_for("Hi", "bank", 8), request_for("Hi")
    assert (first.prompt, first.deployment, first.sampling.max_tokens) == ("Hi", "bank", 8)
    assert first.request_id != second.request_id


def test_any_usual_name_of_a_prompt_will_do(tmp_path: Path) -> None:
    """Data sets call their prompt by several names; their other fields are no request's."""
    path = written(
        tmp_path, '{"text": "a", "label": "x"}', "", '{"question": "b"}', '{"query": "c"}'
    )
    assert [request.prompt for request in read_requests(path)] == ["a", "b", "c"]


def test_a_whole_request_stays_as_it_is(tmp_path: Path) -> None:
    """What a line says goes before the options."""
    line = '{"request_id": "r1", "prompt": "a", "deployment": "mine", "sampling": {"seed": 3}}'
    (request,) = read_requests(written(tmp_path, line), "bank", max_tokens=5)
    assert (request.request_id, request.deployment) == ("r1", "mine")
    assert request.sampling.seed == 3


def test_the_limit_counts_lines(tmp_path: Path) -> None:
    """Only so many lines are read."""
    path = written(tmp_path, *['{"text": "a"}'] * 5)
    assert len(list(read_requests(path, limit=3))) == 3


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "prompts.jsonl:2: is no JSON"),
        ("[]", "prompts.jsonl:2: is no JSON object"),
        ('{"label": "x"}', "prompts.jsonl:2: has none of prompt, text, question, query, messages"),
        ('{"text": " "}', "prompts.jsonl:2: Value error, the prompt is empty"),
        ('{"text": "a\\u0000b"}', "control character U[+]0000"),
    ],
)
def test_a_line_that_is_no_request_is_named(tmp_path: Path, line: str, said: str) -> None:
    """File and line stand in the sentence; the text that was refused does not."""
    with pytest.raises(ConfigError, match=said):
        list(read_requests(written(tmp_path, '{"text": "fine"}', line)))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """A missing file is a configuration error."""
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        list(read_requests(tmp_path / "none.jsonl"))
