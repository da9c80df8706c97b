"""Logs: JSON lines, bounded files, nothing of what users wrote."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError

from infra.logs import ROOMS, Journal, JsonLines, log_to_journal


class _Number(BaseModel):
    value: int


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """A journal of small files."""
    return Journal(tmp_path / "gate.log", "gate", file_bytes=1000, files=3)


@pytest.fixture
def logging_as_before() -> Iterator[None]:
    """Undo what a test does to this process's logging."""
    root, hook = logging.getLogger(), sys.excepthook
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], sys.excepthook = handlers, hook
    root.setLevel(level)
    logging.captureWarnings(False)
    for room in ROOMS:
        logging.getLogger(room).setLevel(logging.NOTSET)


def lines_of(path: Path) -> list[dict[str, object]]:
    """Return the JSON objects in a log."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_record_becomes_one_json_line_with_its_extras() -> None:
    """The message is filled in and ``extra`` fields are keys."""
    record = logging.makeLogRecord(
        {"name": "streams.loop", "levelname": "INFO", "msg": "took %d", "args": (3,), "offset": 17}
    )
    line = json.loads(JsonLines("gate").format(record))
    assert (line["role"], line["level"], line["logger"]) == ("gate", "info", "streams.loop")
    assert (line["message"], line["offset"]) == ("took 3", 17)
    assert line["at"].endswith("Z")


def test_what_a_validation_error_quotes_is_left_out() -> None:
    """Neither the message nor the traceback repeats the value that was refused."""
    try:
        _Number.model_validate({"value": "my card is 4111"})
    except ValidationError as error:
        fields = {"msg": f"refused: {error}", "exc_info": (type(error), error, None)}
        line = JsonLines("gate").format(logging.makeLogRecord(fields))
    assert "unable to parse string" in line
    assert "4111" not in line


def test_printed_lines_are_put_into_json_whole(journal: Journal, tmp_path: Path) -> None:
    """Output arrives in any pieces; lines come out whole, and JSON lines as they are."""
    journal.write(b"one\ntw")
    journal.write(b'o\n\n{"at": "now", "message": "three"}\nfour')
    journal.close()
    found = [line["message"] for line in lines_of(tmp_path / "gate.log")]
    assert found == ["one", "two", "three", "four"]
    assert journal.last_message == "four"


def test_files_are_bounded_in_size_and_number(journal: Journal, tmp_path: Path) -> None:
    """A full file is turned over, the oldest goes, and no line is torn."""
    for number in range(100):
        journal.write(f"line {number}\n".encode())
    journal.close()
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["gate.log", "gate.log.1", "gate.log.2"]
    assert all((tmp_path / name).stat().st_size <= 1000 for name in names)
    kept = [line["message"] for name in reversed(names) for line in lines_of(tmp_path / name)]
    assert kept == [f"line {number}" for number in range(100 - len(kept), 100)]


def test_one_file_is_bounded_too(tmp_path: Path) -> None:
    """With a single file the old lines go."""
    journal = Journal(tmp_path / "x.log", "x", file_bytes=500, files=1)
    for number in range(50):
        journal.write(f"line {number}\n".encode())
    journal.close()
    assert [path.name for path in tmp_path.iterdir()] == ["x.log"]
    assert (tmp_path / "x.log").stat().st_size <= 500


def test_a_line_without_end_does_not_grow_for_ever(journal: Journal, tmp_path: Path) -> None:
    """A megabyte without a line end is cut into what fits."""
    journal.write(b"x" * 1_000_000)
    journal.close()
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 60_000


def test_a_journal_goes_on_where_it_ended(tmp_path: Path) -> None:
    """Opening a log again appends to it."""
    for word in (b"first\n", b"second\n"):
        journal = Journal(tmp_path / "gate.log", "gate", file_bytes=1000, files=3)
        journal.write(word)
        journal.close()
    assert [line["message"] for line in lines_of(tmp_path / "gate.log")] == ["first", "second"]


def test_other_accounts_cannot_read_a_log(journal: Journal, tmp_path: Path) -> None:
    """Logs are their owner's alone."""
    journal.write(b"x\n")
    assert (tmp_path / "gate.log").stat().st_mode & 0o777 == 0o600


@pytest.mark.usefixtures("logging_as_before")
def test_libraries_are_heard_from_warnings_on(journal: Journal, tmp_path: Path) -> None:
    """The level is for our own lines; a library's chatter stays out."""
    log_to_journal(journal, "gate", "info")
    logging.getLogger("streams.loop").info("ours")
    logging.getLogger("aiokafka").info("theirs")
    logging.getLogger("aiokafka").warning("their warning")
    assert [line["message"] for line in lines_of(tmp_path / "gate.log")] == [
        "ours",
        "their warning",
    ]


@pytest.mark.usefixtures("logging_as_before")
def test_the_last_words_are_one_line(journal: Journal, tmp_path: Path) -> None:
    """What ends a process is logged with its traceback, in one line."""
    log_to_journal(journal, "gate", "info")
    try:
        raise RuntimeError("nobody thought of this")
    except RuntimeError as error:
        sys.excepthook(RuntimeError, error, error.__traceback__)
    (line,) = lines_of(tmp_path / "gate.log")
    assert line["message"] == "ended by RuntimeError: nobody thought of this"
    assert "test_logs.py" in str(line["error"])
