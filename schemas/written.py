"""YAML files that people write, read so that every mistake is named by file, line and key."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from schemas.errors import ConfigError

M = TypeVar("M", bound=BaseModel)
Location = tuple[str | int, ...]


class Written(BaseModel):
    """A value that people write: unknown keys are refused, so that a slip does not pass."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def read(path: Path) -> bytes:
    """Return the bytes of a file.

    Raises:
        ConfigError: Naming it, if it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", file=str(path)) from error


def parse(path: Path, raw: bytes, model: type[M]) -> M:
    """Return the ``model`` that ``raw``, the content of the file ``path``, holds.

    Raises:
        ConfigError: Naming file, line and key, if it is no YAML, gives a key twice, or does not fit
            the model.
    """
    try:
        node = yaml.compose(raw, Loader=yaml.SafeLoader)
        _refuse_repeats(path, node)
        content = yaml.safe_load(raw)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else None
        problem = getattr(error, "problem", None) or "is no YAML in UTF-8"
        raise ConfigError(str(problem), file=str(path), line=line) from error
    try:
        return model.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise fault(path, first["loc"], first["msg"]) from error


def fault(path: Path, location: Location, message: str) -> ConfigError:
    """Return the error that says what is wrong at ``location`` of the file ``path``."""
    # A union says which of its members was tried, as in "literal['all']": that is no key.
    parts = tuple(part for part in location if isinstance(part, int) or "[" not in part)
    key = ".".join(str(part) for part in parts)
    return ConfigError(message, file=str(path), line=_line_of(path, parts), key=key or None)


def _refuse_repeats(path: Path, node: yaml.Node | None) -> None:
    """Refuse a key that stands twice in one mapping, of which YAML would drop the first."""
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _refuse_repeats(path, item)
    elif isinstance(node, yaml.MappingNode):
        seen: set[Any] = set()
        for key, item in node.value:
            if key.value in seen:
                line = key.start_mark.line + 1
                raise ConfigError("stands twice", file=str(path), line=line, key=str(key.value))
            seen.add(key.value)
            _refuse_repeats(path, item)


def _line_of(path: Path, location: Location) -> int:
    """Return the line of the deepest part of ``location`` that the file has, from 1."""
    node = yaml.compose(path.read_bytes(), Loader=yaml.SafeLoader) if path.exists() else None
    line = 1
    for part in location:
        if isinstance(node, yaml.MappingNode):
            pairs = {key.value: (key, value) for key, value in node.value}
            if part not in pairs:
                break
            key, node = pairs[part]
            line = key.start_mark.line + 1
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            if part >= len(node.value):
                break
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            break
    return int(line)
