"""The data folder: closed to others, held by one, by a lock and not by a file."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest

from infra.datafolder import DataFolder, sealing_key
from schemas.errors import ConfigError


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    """A data folder that was made ready."""
    made = DataFolder(tmp_path / "data")
    made.prepare()
    return made


def test_the_folder_is_its_owners_alone(folder: DataFolder) -> None:
    """Neither the folder nor the sealing key is open to other accounts."""
    assert folder.path.stat().st_mode & 0o777 == 0o700
    assert folder.seal_file.stat().st_mode & 0o777 == 0o600


def test_a_folder_that_stood_open_is_closed(tmp_path: Path) -> None:
    """Preparing a folder takes away what other accounts could do."""
    (tmp_path / "data").mkdir(mode=0o755)
    DataFolder(tmp_path / "data").prepare()
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700


def test_the_sealing_key_stays(folder: DataFolder) -> None:
    """A second start keeps the key, or nothing sealed could be opened again."""
    key = sealing_key(folder, "")
    folder.prepare()
    assert sealing_key(folder, "") == key
    assert len(key) == 32


def test_a_sealing_key_that_is_set_goes_before(folder: DataFolder) -> None:
    """Roles on other machines get the key as a setting."""
    other = bytes(range(32))
    assert sealing_key(folder, base64.b64encode(other).decode()) == other


@pytest.mark.parametrize("setting", ["c2hvcnQ=", "a"])
def test_a_wrong_sealing_key_is_refused(folder: DataFolder, setting: str) -> None:
    """A key that is too short, or no base64, is named by its variable."""
    with pytest.raises(ConfigError, match="TIDEGATE_SEAL__KEY"):
        sealing_key(folder, setting)


def test_a_missing_sealing_key_says_how_to_get_one(tmp_path: Path) -> None:
    """Without a key the sentence names both ways to one."""
    with pytest.raises(ConfigError, match="TIDEGATE_SEAL__KEY_FILE, or let `tidegate up` make"):
        sealing_key(DataFolder(tmp_path / "none"), "")


def test_a_held_folder_names_its_holder(folder: DataFolder) -> None:
    """While it is held the holder is known, and a second one is refused."""
    assert folder.holder() is None
    with folder.held():
        assert folder.holder() == os.getpid()
        refused = pytest.raises(ConfigError, match=f"by process {os.getpid()}; `tidegate down`")
        with refused, folder.held(wait_s=0.0):
            pytest.fail("held twice")
    assert folder.holder() is None


def test_a_file_alone_holds_nothing(folder: DataFolder) -> None:
    """The file that a killed holder leaves does not stand in the way."""
    (folder.path / "lock").write_text("1")
    with folder.held(wait_s=0.0):
        assert folder.holder() == os.getpid()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """A file in the way is a configuration error, with its path."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be used as data folder"):
        DataFolder(tmp_path / "file" / "data").prepare()


def test_free_space_is_known_before_the_folder_is_made(tmp_path: Path) -> None:
    """The disk is asked by the nearest folder that exists."""
    assert DataFolder(tmp_path / "a" / "b").free_bytes() > 0
