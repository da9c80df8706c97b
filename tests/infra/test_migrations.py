"""Migrations are applied once, in order, and never changed afterwards."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from infra.migrations import Layout, migrate, read_migrations
from infra.store import StoreServer
from schemas.errors import ConfigError, StoreUnavailable
from schemas.topics import TOPICS
from streams.clickhouse_client import connect
from streams.store import StoreConnection

FIRST = "CREATE TABLE IF NOT EXISTS one$local $on_cluster (a Int8) ENGINE = $merge_tree ORDER BY a;"
SECOND = "-- a comment; with a semicolon\nALTER TABLE one$local $on_cluster ADD COLUMN b Int8;\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two migrations."""
    (tmp_path / "0001_one.sql").write_text(FIRST)
    (tmp_path / "0002_two.sql").write_text(SECOND)
    return tmp_path


@pytest.fixture
def empty(clickhouse_server: StoreServer, request: pytest.FixtureRequest) -> StoreConnection:
    """A database that nobody made yet."""
    name = re.sub(r"\W", "_", request.node.name)
    return replace(clickhouse_server.owner, database=name)


@pytest.mark.clickhouse
def test_each_is_applied_once(empty: StoreConnection, folder: Path) -> None:
    """The first run makes the database and applies all; the next has nothing to do."""
    assert migrate(empty, folder=folder) == ["0001_one", "0002_two"]
    assert migrate(empty, folder=folder) == []
    (folder / "0003_three.sql").write_text("DROP TABLE one;")
    assert migrate(empty, folder=folder) == ["0003_three"]


@pytest.mark.clickhouse
def test_an_applied_file_may_not_change(empty: StoreConnection, folder: Path) -> None:
    """The sentence names the file, and nothing further is applied."""
    migrate(empty, folder=folder)
    (folder / "0001_one.sql").write_text(FIRST.replace("Int8", "Int16"))
    (folder / "0003_three.sql").write_text("DROP TABLE one;")
    with pytest.raises(ConfigError, match=r"0001_one\.sql was changed after it was applied"):
        migrate(empty, folder=folder)
    client = connect(empty)
    assert client.command("EXISTS TABLE one") == 1
    client.close()


@pytest.mark.clickhouse
def test_a_newer_store_is_left_alone(empty: StoreConnection, folder: Path) -> None:
    """An older version does not touch what a newer one made."""
    migrate(empty, folder=folder)
    (folder / "0002_two.sql").unlink()
    with pytest.raises(ConfigError, match="migration 2, which this version does not know"):
        migrate(empty, folder=folder)


@pytest.mark.clickhouse
def test_a_refused_statement_names_its_file_and_is_tried_again(
    empty: StoreConnection, folder: Path
) -> None:
    """What came before it stays applied; once mended, the rest follows."""
    (folder / "0002_two.sql").write_text("CREATE NONSENSE;")
    with pytest.raises(ConfigError, match=r"refuses 0002_two\.sql"):
        migrate(empty, folder=folder)
    (folder / "0002_two.sql").write_text(SECOND)
    assert migrate(empty, folder=folder) == ["0002_two"]


def test_a_store_that_is_away_is_no_wrong_migration(folder: Path) -> None:
    """Nothing listens, so the caller may wait and try again."""
    with pytest.raises(StoreUnavailable):
        migrate(StoreConnection("127.0.0.1", port=1), folder=folder)


@pytest.mark.parametrize("name", ["0003_gap.sql", "three.sql"])
def test_numbers_have_no_gaps(folder: Path, name: str) -> None:
    """A file without the next number is refused by name."""
    (folder / "0002_two.sql").rename(folder / name)
    with pytest.raises(ConfigError, match="0002_<name>"):
        read_migrations(folder)


def test_every_topic_with_a_table_has_one() -> None:
    """The shipped files make each table that a topic names."""
    text = "".join(migration.text for migration in read_migrations())
    made = set(re.findall(r"CREATE TABLE IF NOT EXISTS (\w+)\$local", text))
    assert {topic.table for topic in TOPICS if topic.table} <= made


def test_every_table_drops_repeated_inserts() -> None:
    """Tables and the targets of views remember tokens alike, or retries would count twice."""
    for migration in read_migrations():
        for statement in Layout().render(migration.text):
            if "MergeTree" in statement:
                assert "non_replicated_deduplication_window = 10000" in statement


def test_a_cluster_gets_the_same_tables_replicated_and_spread() -> None:
    """Each table becomes replicated local tables and one that spans the shards."""
    statements = list(
        Layout("shop").render((FIRST + "\n").replace("(a Int8)", "(\n    event_id UUID)"))
    )
    assert statements == [
        "CREATE TABLE IF NOT EXISTS one_local ON CLUSTER 'shop' (\n    event_id UUID)"
        " ENGINE = ReplicatedMergeTree ORDER BY a",
        "CREATE TABLE IF NOT EXISTS one ON CLUSTER 'shop' AS one_local"
        " ENGINE = Distributed('shop', currentDatabase(), one_local, cityHash64(event_id))",
    ]
    for migration in read_migrations():
        for statement in Layout("shop").render(migration.text):
            assert "ON CLUSTER 'shop'" in statement
            assert "$" not in statement
