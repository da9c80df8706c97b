"""Brings the store's tables to what ``schemas/tables`` says, forward only, each file once.

The files say ``$merge_tree`` and ``$on_cluster`` where one server and a cluster differ; what stands
for these is said here, in :class:`Layout`, and nowhere else.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from string import Template

from clickhouse_connect.driver.client import Client

import schemas
from schemas.errors import ConfigError
from streams.clickhouse_client import connect, translated
from streams.store import StoreConnection

TABLES = Path(schemas.__file__).parent / "tables"
DEDUPLICATION_WINDOW = 10_000
"""How many inserts a table remembers; a retry must come before that many others."""

_NAME = re.compile(r"(\d{4})_[a-z_]+\.sql")
_COMMENT = re.compile(r"^\s*--.*\n", re.MULTILINE)
_STATEMENT_END = re.compile(r";\s*(?:\n|$)")
_TABLE = re.compile(r"CREATE TABLE IF NOT EXISTS (\w+)_local\b")
_APPLIED = """
CREATE TABLE IF NOT EXISTS migrations$local $on_cluster
(number UInt16, name String, sha256 String, applied_at DateTime('UTC') DEFAULT now())
ENGINE = $merge_tree ORDER BY number;
"""


@dataclass(frozen=True)
class Migration:
    """One numbered file."""

    number: int
    name: str
    text: str

    @property
    def sha256(self) -> str:
        """What tells whether an applied file was changed."""
        return hashlib.sha256(self.text.encode()).hexdigest()


@dataclass(frozen=True)
class Layout:
    """Whether tables lie on one server, or as replicas on the servers of a cluster.

    Args:
        cluster: The cluster's name in the servers' configuration; empty for one server.
    """

    cluster: str = ""

    def render(self, text: str) -> Iterator[str]:
        """Yield the statements of a file for this layout.

        On a cluster every ``name$local`` is a replicated table, with ``name`` beside it that reads
        and writes all shards. A row's shard follows from its event, so that a repeated event meets
        its first.
        """
        replicated = "Replicated" if self.cluster else ""
        window = "replicated" if self.cluster else "non_replicated"
        words = {
            "local": "_local" if self.cluster else "",
            "on_cluster": f"ON CLUSTER '{self.cluster}'" if self.cluster else "",
            "merge_tree": f"{replicated}MergeTree",
            "replacing_merge_tree": f"{replicated}ReplacingMergeTree",
            "aggregating_merge_tree": f"{replicated}AggregatingMergeTree",
            "deduplication": f"{window}_deduplication_window = {DEDUPLICATION_WINDOW}",
        }
        for statement in _STATEMENT_END.split(Template(_COMMENT.sub("", text)).substitute(words)):
            if not statement.strip():
                continue
            yield statement
            if created := _TABLE.search(statement):
                table = created[1]
                shard = "cityHash64(event_id)" if "\n    event_id " in statement else "rand()"
                yield (
                    f"CREATE TABLE IF NOT EXISTS {table} {words['on_cluster']} AS {table}_local"
                    f" ENGINE = Distributed('{self.cluster}', currentDatabase(),"
                    f" {table}_local, {shard})"
                )


def read_migrations(folder: Path = TABLES) -> list[Migration]:
    """Return the migrations in ``folder``, in order.

    Raises:
        ConfigError: If a file's name has no number, or two have the same.
    """
    found = []
    for expected, path in enumerate(sorted(folder.glob("*.sql")), start=1):
        name = _NAME.fullmatch(path.name)
        if not name or int(name[1]) != expected:
            raise ConfigError(f"should be called {expected:04d}_<name>.sql", file=str(path))
        found.append(Migration(expected, path.stem, path.read_text()))
    return found


def migrate(
    owner: StoreConnection, layout: Layout | None = None, folder: Path = TABLES
) -> list[str]:
    """Make the database and apply what it lacks; return the names of what was applied.

    A run that was interrupted is taken up at the file it stopped in.

    Args:
        owner: How to reach the store as one who may create tables.
        layout: One server, or a cluster.
        folder: The numbered files.

    Raises:
        StoreUnavailable: If the store does not answer.
        ConfigError: If an applied file was changed or is gone, a statement is refused, or the user
            may not create tables.
    """
    layout = layout or Layout()
    migrations = read_migrations(folder)
    _make_database(owner, layout)
    client = connect(owner)
    try:
        for statement in layout.render(_APPLIED):
            _run(client, statement, "the table of migrations")
        applied = _applied(client)
        for migration in migrations:
            if applied.get(migration.number, migration.sha256) != migration.sha256:
                raise ConfigError(
                    f"{migration.name}.sql was changed after it was applied;"
                    " put it back and add a new file"
                )
        if newer := set(applied) - {migration.number for migration in migrations}:
            raise ConfigError(
                f"the store has migration {max(newer)}, which this version does not know;"
                " use the version that made it"
            )
        pending = [each for each in migrations if each.number not in applied]
        for migration in pending:
            for statement in layout.render(migration.text):
                _run(client, statement, f"{migration.name}.sql")
            row = [migration.number, migration.name, migration.sha256]
            with translated():
                client.insert("migrations", [row], ["number", "name", "sha256"])
    finally:
        client.close()
    return [migration.name for migration in pending]


def _make_database(owner: StoreConnection, layout: Layout) -> None:
    client = connect(owner, database="")
    where = f" ON CLUSTER '{layout.cluster}'" if layout.cluster else ""
    try:
        _run(client, f"CREATE DATABASE IF NOT EXISTS `{owner.database}`{where}", "the database")
    finally:
        client.close()


def _applied(client: Client) -> dict[int, str]:
    with translated():
        rows = client.query("SELECT number, any(sha256) FROM migrations GROUP BY number")
    return {int(number): str(sha256) for number, sha256 in rows.result_rows}


def _run(client: Client, statement: str, what: str) -> None:
    try:
        with translated():
            client.command(statement)
    except ConfigError as error:
        raise ConfigError(f"ClickHouse refuses {what}: {error.args[0]}") from error
