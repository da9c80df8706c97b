"""Rows of a file of JSON lines, checked one by one."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from schemas.errors import ConfigError

M = TypeVar("M", bound=BaseModel)


def read_rows(path: Path, model: type[M]) -> list[M]:
    """Return the rows of ``path``, one JSON object a line.

    Raises:
        ConfigError: Naming file and line, if the file is absent, empty, or a row does not fit.
    """
    try:
        lines = path.read_text("utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot be read: {error}", file=str(path)) from error
    rows = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            rows.append(model.model_validate_json(line))
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(map(str, first["loc"]))
            raise ConfigError(first["msg"], file=str(path), line=number, key=key) from error
    if not rows:
        raise ConfigError("holds no row", file=str(path))
    return rows
