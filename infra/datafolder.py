"""The data folder: what lies where, and that one supervisor at a time holds it."""

from __future__ import annotations

import base64
import fcntl
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from infra.keys import private_folder, write_private
from schemas.errors import ConfigError

_SEAL_BYTES = 32


@dataclass(frozen=True)
class DataFolder:
    """One data folder; its owner alone may enter.

    It is held by a lock that the kernel drops with the process, so neither kill -9 nor a power cut
    leaves it held.

    Args:
        path: Where it lies.
    """

    path: Path

    @property
    def logs(self) -> Path:
        """Holds one log per process."""
        return self.path / "logs"

    @property
    def run(self) -> Path:
        """Holds what is true only while the system runs."""
        return self.path / "run"

    @property
    def keys(self) -> Path:
        """Holds passwords and keys, mode 600."""
        return self.path / "keys"

    @property
    def seal_file(self) -> Path:
        """Holds the key that seals what may not be stored in the clear."""
        return self.keys / "seal.key"

    def ready_file(self, name: str) -> Path:
        """Return the file that the process called ``name`` creates when it is ready."""
        return self.run / f"{name}.ready"

    def log_file(self, name: str) -> Path:
        """Return the log of the process called ``name``."""
        return self.logs / f"{name}.log"

    def free_bytes(self) -> int:
        """Return the free space of the disk it lies on, or will lie on."""
        folder = self.path
        while not folder.exists():
            folder = folder.parent
        return shutil.disk_usage(folder).free

    def prepare(self) -> None:
        """Make the folder, closed to other accounts, and its sealing key.

        Raises:
            ConfigError: If it cannot be made or is another account's.
        """
        try:
            private_folder(self.path)
            if self.path.stat().st_uid != os.getuid():
                raise ConfigError("belongs to another account", file=str(self.path))
            self.path.chmod(0o700)
            for folder in (self.logs, self.run, self.keys):
                private_folder(folder)
            if not self.seal_file.exists():
                key = secrets.token_bytes(_SEAL_BYTES)
                write_private(self.seal_file, base64.b64encode(key).decode() + "\n")
        except OSError as error:
            raise ConfigError(
                f"cannot be used as data folder: {error.strerror}", file=str(self.path)
            ) from error

    @contextmanager
    def held(self, wait_s: float = 2.0) -> Iterator[int]:
        """Hold the folder; yield the descriptor on which the lock lies.

        Args:
            wait_s: How long to wait for a holder that is about to end.

        Raises:
            ConfigError: If another process holds it; the message names its pid.
        """
        lock = os.open(self._lock_file, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            deadline = time.monotonic() + wait_s
            while not _locked(lock, fcntl.LOCK_EX):
                if time.monotonic() > deadline:
                    pid = os.read(lock, 32).decode().strip() or "unknown"
                    raise ConfigError(
                        f"is in use by process {pid}; `tidegate down` ends it", file=str(self.path)
                    )
                time.sleep(0.05)
            os.pwrite(lock, f"{os.getpid():<20}\n".encode(), 0)
            yield lock
        finally:
            os.close(lock)

    def holder(self) -> int | None:
        """Return the pid of the process that holds the folder now, if one does.

        It is 0 in the instant before the first holder ever has written it down.
        """
        try:
            lock = os.open(self._lock_file, os.O_RDWR)
        except FileNotFoundError:
            return None
        try:
            if _locked(lock, fcntl.LOCK_SH):
                return None
            return int(os.read(lock, 32).decode().strip() or 0)
        finally:
            os.close(lock)

    @property
    def _lock_file(self) -> Path:
        return self.path / "lock"


def _locked(lock: int, kind: int) -> bool:
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def sealing_key(folder: DataFolder, setting: str) -> bytes:
    """Return the 32 bytes that seal what may not be stored in the clear.

    Args:
        folder: Where the key lies that ``up`` generated.
        setting: The setting ``seal.key``; used instead if it is not empty.

    Raises:
        ConfigError: If there is no key, or it is not 32 bytes in base64.
    """
    where = "TIDEGATE_SEAL__KEY" if setting else str(folder.seal_file)
    try:
        key = base64.b64decode(setting or folder.seal_file.read_text(), validate=False)
    except FileNotFoundError as error:
        raise ConfigError(
            "is not there: set TIDEGATE_SEAL__KEY_FILE, or let `tidegate up` make one", file=where
        ) from error
    except ValueError as error:
        raise ConfigError("is no base64", key=where) from error
    if len(key) != _SEAL_BYTES:
        raise ConfigError(f"holds {len(key)} bytes and not {_SEAL_BYTES}, in base64", key=where)
    return key
