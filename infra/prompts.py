"""Requests out of what people have: a prompt, or a file with one JSON object a line."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson
from pydantic import ValidationError

from schemas.codec import explain
from schemas.errors import ConfigError
from schemas.requests import CompletionRequested

_PROMPT_KEYS = ("prompt", "text", "question", "query")


def request_for(
    prompt: str, deployment: str = "default", max_tokens: int | None = None
) -> CompletionRequested:
    """Return the request that asks ``prompt``.

    Raises:
        ConfigError: If the prompt or the deployment's name will not do.
    """
    return _request({"prompt": prompt}, deployment, max_tokens, "the prompt")


def read_requests(
    path: Path,
    deployment: str = "default",
    max_tokens: int | None = None,
    limit: int | None = None,
) -> Iterator[CompletionRequested]:
    """Yield one request a line of a JSON Lines file.

    A line is a whole request, or any object whose ``prompt``, ``text``, ``question`` or ``query``
    is the prompt; what else it holds is then left out.

    Args:
        path: The file.
        deployment: Who answers a line that does not say.
        max_tokens: The longest answer to a line that does not say.
        limit: How many lines are read; all of them if None.

    Raises:
        ConfigError: Naming file and line, if the file cannot be read or a line is no request.
    """
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(islice(lines, limit), start=1):
                if line.strip():
                    where = f"{path}:{number}"
                    yield _request(_fields(line, where), deployment, max_tokens, where)
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", file=str(path)) from error


def _fields(line: bytes, where: str) -> dict[str, Any]:
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise ConfigError(f"is no JSON: {error}", file=where) from error
    if not isinstance(found, dict):
        raise ConfigError("is no JSON object", file=where)
    if "messages" in found or "request_id" in found:
        return found
    for key in _PROMPT_KEYS:
        if isinstance(found.get(key), str):
            return {"prompt": found[key]}
    raise ConfigError(f"has none of {', '.join(_PROMPT_KEYS)}, messages", file=where)


def _request(
    fields: dict[str, Any], deployment: str, max_tokens: int | None, where: str
) -> CompletionRequested:
    sampling = {} if max_tokens is None else {"max_tokens": max_tokens}
    given = {"request_id": str(uuid4()), "deployment": deployment, "sampling": sampling}
    try:
        return CompletionRequested.model_validate(given | fields)
    except ValidationError as error:
        raise ConfigError(explain(error), file=where) from error
