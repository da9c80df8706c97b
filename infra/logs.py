"""Logs: one JSON object a line, in files bounded in size.

A role writes its lines to standard error, wherever that leads. Under the supervisor it leads to a
:class:`Journal`, together with whatever libraries print, so that one process turns the files over.
No line may hold a prompt or an answer.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

ROOMS = ("schemas", "inference", "monitors", "alerts", "feedback", "streams", "infra")
_LINE_MAX_BYTES = 16_384
_INPUT = re.compile(r", input_value=.*?, input_type=\w+")
"""Where pydantic's errors quote what they refuse, which may be a prompt."""
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """Formats a log record as one JSON object; ``extra`` fields become its keys.

    Args:
        role: Whose lines they are.
    """

    def __init__(self, role: str) -> None:
        super().__init__()
        self._role = role

    def format(self, record: logging.LogRecord) -> str:
        """Return the line for ``record``."""
        fields: dict[str, Any] = {
            "at": _timestamp(record.created),
            "level": record.levelname.lower(),
            "role": self._role,
            "logger": record.name,
            "message": _INPUT.sub("", record.getMessage()),
        }
        extra = {key: value for key, value in vars(record).items() if key not in _STANDARD}
        if record.exc_info:
            extra["error"] = _INPUT.sub("", self.formatException(record.exc_info))
        return json.dumps(fields | extra, default=str)


def log_to_stderr(role: str, level: str) -> None:
    """Write the log of this process to standard error; see :func:`log_to`."""
    log_to(logging.StreamHandler(), role, level)


def log_to_journal(journal: Journal, role: str, level: str) -> None:
    """Write the log of this process to ``journal``; see :func:`log_to`."""
    log_to(_ToJournal(journal), role, level)


def log_to(handler: logging.Handler, role: str, level: str) -> None:
    """Send to ``handler`` what this process logs, as JSON lines, its last words included.

    Args:
        handler: Where to.
        role: Whose lines they are.
        level: The least urgent line of ours; libraries are heard from ``warning`` on.
    """
    handler.setFormatter(JsonLines(role))
    libraries = logging.INFO if level == "debug" else logging.WARNING
    logging.basicConfig(handlers=[handler], level=libraries, force=True)
    for room in ROOMS:
        logging.getLogger(room).setLevel(level.upper())
    logging.captureWarnings(True)
    sys.excepthook = _log_uncaught


def _log_uncaught(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    words = _INPUT.sub("", f"{kind.__name__}: {error}")
    logging.getLogger("infra").critical("ended by %s", words, exc_info=(kind, error, trace))


class Journal:
    """A log file that takes lines and starts anew when it is full, keeping the last few files.

    A line that is no JSON object, as libraries print them, is put into one.

    Args:
        path: The file; older ones get ``.1``, ``.2`` and so on appended.
        role: Whose lines they are.
        file_bytes: The size at which a new file is started.
        files: How many files are kept, the current one included.
    """

    def __init__(self, path: Path, role: str, file_bytes: int, files: int) -> None:
        self._path = path
        self._role = role
        self._file_bytes = file_bytes
        self._files = files
        self._rest = b""
        self._last = b""
        self._open()

    @property
    def last_message(self) -> str:
        """What the last line says."""
        try:
            return str(json.loads(self._last)["message"])
        except (json.JSONDecodeError, KeyError):
            return self._last.decode(errors="replace")

    def write(self, chunk: bytes) -> None:
        """Take output as it comes; whole lines go to the file, the rest waits for its end."""
        *lines, rest = (self._rest + chunk).split(b"\n")
        if len(rest) > _LINE_MAX_BYTES:
            lines.append(rest)
            rest = b""
        self._rest = rest
        for line in lines:
            if line.strip():
                self._put(line)

    def close(self) -> None:
        """Write what is left and close the file."""
        self.write(b"\n")
        os.close(self._file)

    def _put(self, line: bytes) -> None:
        if not line.startswith(b'{"at"'):
            text = _INPUT.sub("", line[:_LINE_MAX_BYTES].decode(errors="replace").rstrip())
            fields = {"at": _timestamp(), "level": "info", "role": self._role, "message": text}
            line = json.dumps(fields).encode()
        self._last = line
        if self._size and self._size + len(line) > self._file_bytes:
            self._turn_over()
        self._size += os.write(self._file, line + b"\n")

    def _open(self) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        self._file = os.open(self._path, flags, 0o600)
        self._size = os.fstat(self._file).st_size

    def _turn_over(self) -> None:
        os.close(self._file)
        for number in range(self._files - 1, 0, -1):
            older = self._numbered(number - 1)
            if older.exists():
                older.replace(self._numbered(number))
        if self._files == 1:
            self._path.unlink()
        self._open()

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}") if number else self._path


class _ToJournal(logging.Handler):
    """Writes this process's own log records to a journal."""

    def __init__(self, journal: Journal) -> None:
        super().__init__()
        self._journal = journal

    def emit(self, record: logging.LogRecord) -> None:
        self._journal.write(self.format(record).encode() + b"\n")


def _timestamp(at: float | None = None) -> str:
    moment = datetime.now(UTC) if at is None else datetime.fromtimestamp(at, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
