"""The jars of the embedded broker: fetched once, each checked against its committed checksum."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from jgo.maven import MavenContext

from schemas.errors import ConfigError

LOCK = Path(__file__).with_name("kafka.lock")
_FETCHES_AT_ONCE = 8


@dataclass(frozen=True)
class Jar:
    """One line of the lock file."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def file_name(self) -> str:
        """The name of the jar's file in the cache."""
        return f"{self.artifact}-{self.version}.jar"

    def __str__(self) -> str:
        return f"{self.group}:{self.artifact}:{self.version}"


Fetch = Callable[[Jar, Path], Path]
"""Downloads a jar somewhere below a folder and returns its file."""


def read_lock(path: Path = LOCK) -> list[Jar]:
    """Return the jars that a lock file lists.

    Raises:
        ConfigError: Naming file and line, if a line is not ``group:artifact:version sha256``.
    """
    jars = []
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        if not line or line.startswith("#"):
            continue
        name, _, sha256 = line.partition(" ")
        coordinates = name.split(":")
        if len(coordinates) != 3 or len(sha256) != 64:
            raise ConfigError("is not 'group:artifact:version sha256'", file=str(path), line=number)
        group, artifact, version = coordinates
        jars.append(Jar(group, artifact, version, sha256))
    return jars


def fetch_from_maven_central(jar: Jar, folder: Path) -> Path:
    """Download ``jar`` into ``folder`` and return its file.

    Raises:
        ConfigError: If Maven Central does not answer or does not have it.
    """
    project = MavenContext(repo_cache=folder, timeout=60).project(jar.group, jar.artifact)
    try:
        return project.at_version(jar.version).artifact().resolve()
    except (OSError, RuntimeError) as error:
        raise ConfigError(f"cannot fetch {jar} from Maven Central: {error}") from error


def ensure_jars(
    cache: Path, jars: Iterable[Jar] | None = None, fetch: Fetch = fetch_from_maven_central
) -> list[Path]:
    """Return the files of all ``jars``, fetching those the cache does not hold yet.

    A jar enters the cache whole and checked, or not at all, so a broken run is taken up where it
    stopped and two runs at once do no harm.

    Args:
        cache: The folder of everything that outlives a data folder.
        jars: What to have; the broker's lock file if not given.
        fetch: How to download one.

    Raises:
        ConfigError: If a jar cannot be fetched, or its checksum is not the lock file's; the message
            names the jar, the checksum expected and the one found.
    """
    folder = cache / "jars"
    folder.mkdir(parents=True, exist_ok=True)
    wanted = read_lock() if jars is None else list(jars)
    with ThreadPoolExecutor(_FETCHES_AT_ONCE) as pool:
        return list(pool.map(lambda jar: _ensure(jar, folder, fetch), wanted))


def _ensure(jar: Jar, folder: Path, fetch: Fetch) -> Path:
    path = folder / jar.file_name
    if path.exists():
        if (found := _sha256(path)) != jar.sha256:
            raise _mismatch(jar, found, f"; remove {path} to fetch it again")
        return path
    incoming = Path(tempfile.mkdtemp(prefix=".incoming-", dir=folder))
    try:
        fetched = fetch(jar, incoming)
        if (found := _sha256(fetched)) != jar.sha256:
            raise _mismatch(jar, found, "; it was not kept")
        fetched.replace(path)
    finally:
        shutil.rmtree(incoming, ignore_errors=True)
    return path


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _mismatch(jar: Jar, found: str, advice: str) -> ConfigError:
    return ConfigError(
        f"the checksum of {jar} is wrong: expected {jar.sha256}, got {found}{advice}"
    )
