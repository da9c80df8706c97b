"""Where settings come from: a TOML file, the environment above it, and no name that we do not know.

pydantic-settings would let a misspelt variable pass and take one that ends in ``_FILE`` for a key;
every name is known here, so reading them is a few lines.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import SecretStr, ValidationError

from infra.settings import Section, Settings
from schemas.errors import ConfigError

PREFIX = "TIDEGATE_"
DEFAULT_FILE = Path("tidegate.toml")
_NOT_SETTINGS = {"TIDEGATE_PUBLIC_DATA"}
"""Read by the tests over public data alone."""

_Key = tuple[str, ...]


def load_settings(config: Path | None = None) -> Settings:
    """Return the settings of this process.

    Args:
        config: The TOML file to read; ``tidegate.toml`` in the working folder, if there is one.

    Raises:
        ConfigError: Naming the file, line and key, or the variable, that is unknown or has a value
            that will not do.
    """
    if config is None and DEFAULT_FILE.exists():
        config = DEFAULT_FILE
    written = _read_file(config) if config else {}
    values = _merged(written, _read_variables(os.environ))
    try:
        return Settings(**values, config=config.absolute() if config else None)
    except ValidationError as error:
        raise _refusal(error, config, os.environ) from error


def variable_of(key: _Key) -> str:
    """Return the environment variable that sets ``key``.

    >>> variable_of(("topics", "partitions"))
    'TIDEGATE_TOPICS__PARTITIONS'
    """
    return PREFIX + "__".join(key).upper()


def known_keys() -> dict[_Key, Any]:
    """Return every setting there is, as the way to it through the sections, with its type."""
    found: dict[_Key, Any] = {}
    for name, field in Settings.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, Section):
            found |= {(name, key): inner.annotation for key, inner in kind.model_fields.items()}
        elif name != "config":
            found[name,] = kind
    return found


def _read_variables(environ: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    known: set[str] = set(_NOT_SETTINGS)
    for key, kind in known_keys().items():
        variable = variable_of(key)
        known.add(variable)
        # An empty variable is none: that is how Compose files leave one out.
        value = environ.get(variable) or None
        if kind is SecretStr:
            known.add(file := variable + "_FILE")
            if environ.get(file) and value is not None:
                raise ConfigError(f"is set as well as {variable}; one of them must go", key=file)
            value = _read_secret(file, environ[file]) if environ.get(file) else value
        if value is not None:
            place = found.setdefault(key[0], {}) if len(key) == 2 else found
            place[key[-1]] = value
    for name in sorted(environ):
        if name.upper().startswith(PREFIX) and name not in known:
            raise ConfigError(f"is no setting{_closest(name.upper(), known)}", key=name)
    return found


def _read_secret(variable: str, path: str) -> str:
    try:
        return Path(path).expanduser().read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read {path}: {error}", key=variable) from error


def _read_file(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text()
        content = tomllib.loads(text)
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", file=str(path)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"is no TOML: {error}", file=str(path)) from error
    known = known_keys()
    sections = {key[0] for key in known if len(key) == 2}
    for key in _written_keys(content, sections):
        if key not in known:
            names = {".".join(each) for each in known} | sections
            dotted = ".".join(key)
            raise ConfigError(
                f"is no setting{_closest(dotted, names)}",
                file=str(path),
                line=_line_of(text, key),
                key=dotted,
            )
    return content


def _written_keys(content: dict[str, Any], sections: set[str]) -> Iterable[_Key]:
    for name, value in content.items():
        if name in sections and isinstance(value, dict):
            yield from ((name, key) for key in value)
        elif name not in sections:
            yield (name,)


def _closest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.5)
    return f"; did you mean {near[0]}?" if near else ""


def _line_of(text: str, key: _Key) -> int | None:
    """Return the line on which a TOML text sets ``key``; None where it writes it unusually."""
    section: _Key = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := re.match(r"\s*\[\s*([\w.-]+)\s*\]", line):
            section = tuple(header[1].split("."))
            if section == key:
                return number
        elif assigned := re.match(r"\s*([\w.-]+)\s*=", line):
            written = (*section, *assigned[1].split("."))
            if written[: len(key)] == key or written == key[:1]:
                return number
    return None


def _merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for name, value in above.items():
        old = merged.get(name)
        if isinstance(old, dict) and isinstance(value, dict):
            value = {**old, **value}
        merged[name] = value
    return merged


def _refusal(
    error: ValidationError, config: Path | None, environ: Mapping[str, str]
) -> ConfigError:
    """Return the first thing wrong, where it was written and without a secret's value."""
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    key = tuple(str(part) for part in first["loc"])
    message = str(first["msg"])
    if (variable := variable_of(key)) in environ or config is None:
        return ConfigError(message, key=variable)
    line = _line_of(config.read_text(), key)
    return ConfigError(message, file=str(config), line=line, key=".".join(key))
