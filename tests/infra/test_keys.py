"""Passwords are made once and only their owner reads them."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.keys import password, private_folder, write_private
from schemas.errors import ConfigError


def test_a_password_is_made_once(tmp_path: Path) -> None:
    """The second call reads what the first one made; another name has another password."""
    keys = tmp_path / "keys"
    first = password(keys, "kafka")
    assert len(first) >= 32
    assert password(keys, "kafka") == first
    assert password(keys, "other") != first


def test_only_the_owner_may_read(tmp_path: Path) -> None:
    """Folder and file are closed to other accounts from the moment they are there."""
    keys = tmp_path / "keys"
    password(keys, "kafka")
    assert keys.stat().st_mode & 0o777 == 0o700
    assert (keys / "kafka").stat().st_mode & 0o777 == 0o600


def test_a_password_others_can_read_is_refused(tmp_path: Path) -> None:
    """Somebody opened the file, so it is secret no more."""
    password(tmp_path, "kafka")
    (tmp_path / "kafka").chmod(0o644)
    with pytest.raises(ConfigError, match="make its mode 600"):
        password(tmp_path, "kafka")


def test_a_private_file_is_replaced_whole(tmp_path: Path) -> None:
    """Writing again leaves one file with the new text."""
    folder = private_folder(tmp_path / "folder")
    write_private(folder / "file", "one")
    write_private(folder / "file", "two")
    assert [(path.name, path.read_text()) for path in folder.iterdir()] == [("file", "two")]
