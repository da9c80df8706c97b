"""Passwords and keys that the embedded system makes for itself, in files only their owner reads."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from schemas.errors import ConfigError


def private_folder(path: Path) -> Path:
    """Return ``path`` as a folder that only its owner may enter, made if it is not there."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def write_private(path: Path, text: str) -> None:
    """Replace the file at ``path`` by ``text``, whole or not at all, for its owner's eyes only."""
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    with open(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(path)


def password(keys: Path, name: str) -> str:
    """Return the password called ``name``, made at the first call and kept in ``keys``.

    Args:
        keys: The folder of the data folder that holds passwords.
        name: Whose it is; also the file's name.

    Raises:
        ConfigError: If other accounts may read the file.
    """
    path = private_folder(keys) / name
    if not path.exists():
        write_private(path, secrets.token_urlsafe(24))
    if path.stat().st_mode & 0o077:
        raise ConfigError("is open to other accounts; make its mode 600", file=str(path))
    return path.read_text()
