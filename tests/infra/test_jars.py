"""Jars enter the cache whole and checked, or not at all."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

import pytest

from infra.jars import Jar, ensure_jars, read_lock
from schemas.errors import ConfigError


def jar(name: str, content: bytes = b"content") -> Jar:
    """Return a jar whose right content is ``content``."""
    return Jar("org.example", name, "1.0", hashlib.sha256(content).hexdigest())


class Source:
    """Gives every jar the same content, and counts."""

    def __init__(self, content: bytes = b"content") -> None:
        self.content = content
        self.fetched: list[str] = []
        self._counting = threading.Lock()

    def __call__(self, wanted: Jar, folder: Path) -> Path:
        """Write the content where a real fetch would: somewhere below ``folder``."""
        with self._counting:
            self.fetched.append(wanted.artifact)
        path = folder / "some" / "where.jar"
        path.parent.mkdir()
        path.write_bytes(self.content)
        return path


def test_the_lock_lists_a_whole_broker() -> None:
    """The committed list has 92 jars, each once."""
    jars = read_lock()
    assert len({each.file_name for each in jars}) == len(jars) == 92
    assert any(each.artifact == "kafka_2.13" and each.version == "4.4.0" for each in jars)


def test_a_broken_lock_names_its_line(tmp_path: Path) -> None:
    """A line that is no coordinate and checksum is refused with its number."""
    lock = tmp_path / "kafka.lock"
    lock.write_text(f"# a comment\n\norg.example:a:1 {'0' * 64}\norg.example:b 12\n")
    with pytest.raises(ConfigError) as refused:
        read_lock(lock)
    assert (refused.value.file, refused.value.line) == (str(lock), 4)


def test_jars_are_fetched_once(tmp_path: Path) -> None:
    """What the cache holds is not fetched again; nothing half-fetched is left beside it."""
    source = Source()
    first = ensure_jars(tmp_path, [jar("a"), jar("b")], source)
    assert [path.read_bytes() for path in first] == [b"content"] * 2
    assert ensure_jars(tmp_path, [jar("b"), jar("c")], source) == [
        tmp_path / "jars" / "b-1.0.jar",
        tmp_path / "jars" / "c-1.0.jar",
    ]
    assert sorted(source.fetched) == ["a", "b", "c"]
    assert sorted(path.name for path in (tmp_path / "jars").iterdir()) == [
        "a-1.0.jar",
        "b-1.0.jar",
        "c-1.0.jar",
    ]


def test_a_jar_that_was_tampered_with_is_not_kept(tmp_path: Path) -> None:
    """The error names the jar, the checksum expected and the one found."""
    wanted = jar("a", b"what was locked")
    with pytest.raises(ConfigError) as refused:
        ensure_jars(tmp_path, [wanted], Source(b"something else"))
    said = str(refused.value)
    assert "org.example:a:1.0" in said
    assert wanted.sha256 in said
    assert hashlib.sha256(b"something else").hexdigest() in said
    assert not list((tmp_path / "jars").iterdir())


def test_a_jar_that_changed_in_the_cache_is_refused(tmp_path: Path) -> None:
    """A file that rotted on the disk stops the start and is named."""
    (path,) = ensure_jars(tmp_path, [jar("a")], Source())
    path.write_bytes(b"rotten")
    with pytest.raises(ConfigError, match=rf"remove {path}"):
        ensure_jars(tmp_path, [jar("a")], Source())
