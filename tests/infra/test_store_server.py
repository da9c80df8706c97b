"""The embedded store: three users with their rights, kill -9, a log that quotes nobody."""

from __future__ import annotations

import re
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.request import urlopen

import clickhouse_connect
import orjson
import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from infra.migrations import migrate
from infra.sql import client_command
from infra.store import StoreServer
from schemas.errors import ConfigError, PoisonError, StoreUnavailable
from streams.clickhouse_client import connect
from streams.clickhouse_store import ClickHouseStore
from tests.embedded import free_port, start, stop

DENIED = re.compile(r"code: (497|164|452|60|291)\b")
"""Denied, read-only, beyond a limit, no such table, no such access path."""


@pytest.fixture
def reader(clickhouse_server: StoreServer) -> Iterator[Client]:
    """An unmodified driver with its defaults, as dashboards use it."""
    client = clickhouse_connect.get_client(
        host="127.0.0.1", port=clickhouse_server.http_port, database="tidegate"
    )
    yield client
    client.close()


@pytest.mark.clickhouse
@pytest.mark.parametrize(
    "query",
    [
        "DROP TABLE requests",
        "TRUNCATE TABLE requests",
        "ALTER TABLE requests DELETE WHERE 1",
        "INSERT INTO audit (workspace) VALUES ('x')",
        "CREATE TABLE mine (a Int8) ENGINE = Memory",
        "CREATE USER mine",
        "GRANT SELECT ON *.* TO default",
        "SELECT * FROM system.users",
        "SELECT * FROM system.processes",
        "SELECT * FROM url('http://127.0.0.1:1/', 'CSV', 'x String')",
        "SELECT * FROM file('/etc/passwd', 'LineAsString')",
        "SELECT * FROM remote('127.0.0.1:1', 'tidegate', 'requests')",
        "SELECT * FROM executable('id', 'TSV', 'x String')",
        "SELECT 1 SETTINGS max_memory_usage = 100000000000",
        "SELECT 1 SETTINGS readonly = 0",
        "SELECT 1 SETTINGS max_execution_time = 100000",
        "SYSTEM SHUTDOWN",
        "KILL QUERY WHERE 1",
    ],
)
def test_the_reader_may_only_read(reader: Client, query: str) -> None:
    """Nothing changes, nothing but our tables is seen, nothing outside is reached."""
    with pytest.raises(DatabaseError, match=DENIED):
        reader.command(query)


@pytest.mark.clickhouse
@pytest.mark.parametrize(
    "query",
    [
        "SELECT count() FROM requests",
        "SELECT * FROM accounting",
        "SELECT * FROM latency",
        "SELECT * FROM guard_rates",
        "SELECT * FROM open_alerts",
        "SELECT name FROM system.tables WHERE database = 'tidegate'",
        "SELECT name, type FROM system.columns WHERE database = 'tidegate'",
        "SELECT 1 SETTINGS max_execution_time = 30",
    ],
)
def test_the_reader_may_do_what_dashboards_do(reader: Client, query: str) -> None:
    """Tables, views and their descriptions are there, under Grafana's own time limit as well."""
    assert orjson.loads(reader.raw_query(query, fmt="JSONCompact"))["meta"]


@pytest.mark.clickhouse
def test_the_writer_writes_and_nothing_else(clickhouse_server: StoreServer) -> None:
    """The sink's user inserts and reads; tables are the owner's business."""
    ClickHouseStore(clickhouse_server.writer).insert("control", [b'{"type":"x"}'], "writer")
    client = connect(clickhouse_server.writer)
    for query in ("DROP TABLE control", "SELECT * FROM system.users", "CREATE TABLE x (a Int8)"):
        with pytest.raises(DatabaseError, match=DENIED):
            client.command(query)
    client.close()


@pytest.mark.clickhouse
def test_a_wrong_password_needs_an_operator(clickhouse_server: StoreServer) -> None:
    """The sink does not knock for ever at a door it has no key to."""
    store = ClickHouseStore(replace(clickhouse_server.writer, password="guessed"))
    with pytest.raises(ConfigError, match="AUTHENTICATION_FAILED"):
        store.insert("control", [b"{}"], "t")


@pytest.mark.clickhouse
def test_the_server_keeps_no_log_tables(clickhouse_server: StoreServer) -> None:
    """Tables that the server would fill about itself are off, for they cost CPU all the time."""
    client = connect(clickhouse_server.owner)
    found = client.query(
        "SELECT name FROM system.tables WHERE engine LIKE '%MergeTree' AND database = 'system'"
    )
    client.close()
    assert found.result_rows == []


@pytest.mark.clickhouse
def test_the_log_quotes_no_rows(clickhouse_server: StoreServer) -> None:
    """What a refused row said stands neither in the error nor in the server's log."""
    store = ClickHouseStore(clickhouse_server.writer)
    for row in (b'{"event_id":"secret-word"}', b'{"sequence":"secret-word"}', b"secret-word"):
        with pytest.raises(PoisonError) as refused:
            store.insert("audit", [row], "quoted")
        assert "secret-word" not in str(refused.value)
    log = clickhouse_server.data / "logs" / "clickhouse.log"
    assert "secret-word" not in log.read_text()


@pytest.mark.clickhouse
def test_clickhouse_client_runs_a_query(clickhouse_server: StoreServer) -> None:
    """The real client answers on the terminal, as the reader, in our database."""
    command = client_command(
        clickhouse_server.reader, "SELECT currentUser(), currentDatabase(), 40 + 2"
    )
    finished = subprocess.run(command, capture_output=True, text=True, check=True)
    assert finished.stdout.split() == ["default", "tidegate", "42"]


@pytest.mark.clickhouse
def test_the_play_page_is_there(clickhouse_server: StoreServer) -> None:
    """The server's own page for queries is served."""
    with urlopen(f"http://127.0.0.1:{clickhouse_server.http_port}/play") as answer:
        assert b"<html" in answer.read()


@pytest.mark.clickhouse
@pytest.mark.slow
def test_rows_and_what_views_make_of_them_survive_kill_9_once(tmp_path: Path) -> None:
    """Killed under a writer that sends again what was not acknowledged, nothing is lost or twice.

    Each batch of scans also makes verdicts, and counts of verdicts: a kill may fall between them.
    """
    server = StoreServer(tmp_path, http_port=free_port(), native_port=free_port())
    server.prepare()
    process = start(server)
    migrate(server.owner)
    store = ClickHouseStore(server.writer)
    now_ms = time.time_ns() // 1_000_000
    scan = b'{"appended_at":%d,"verdicts":[{"guard":"a"},{"guard":"b"}]}' % now_ms
    acknowledged = 0
    done = threading.Event()

    def write() -> None:
        nonlocal acknowledged
        in_doubt = False
        while in_doubt or not done.is_set():
            try:
                store.insert("scans", [scan] * 50, f"batch-{acknowledged}")
                acknowledged += 1
                in_doubt = False
            except StoreUnavailable:
                in_doubt = True
                time.sleep(0.05)

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    try:
        for kills in range(1, 5):
            until = acknowledged + 5 * kills
            while acknowledged < until:
                done.wait(0.01)
            process.kill()
            process.wait()
            server.prepare()
            process = start(server)
        done.set()
        writer.join()
        client = connect(server.owner)
        counted = client.query(
            "SELECT (SELECT count() FROM scans), (SELECT count() FROM verdicts),"
            " (SELECT sum(verdicts) FROM verdicts_per_minute)"
        )
        client.close()
    finally:
        done.set()
        writer.join(10)
        store.close()
        stop(process)
    assert counted.result_rows == [(50 * acknowledged, 100 * acknowledged, 100 * acknowledged)]


@pytest.mark.clickhouse
@pytest.mark.slow
def test_a_guarded_reader_needs_its_password(tmp_path: Path) -> None:
    """With passwords asked for, nobody reads without one."""
    server = StoreServer(tmp_path, http_port=free_port(), native_port=free_port(), auth=True)
    server.prepare()
    process = start(server)
    try:
        migrate(server.owner)
        connect(server.reader).close()
        for guess in ("", "guessed"):
            with pytest.raises(ConfigError, match=r"REQUIRED_PASSWORD|AUTHENTICATION_FAILED"):
                connect(replace(server.reader, password=guess))
    finally:
        stop(process)


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    """The sentence says which port to free."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ConfigError, match=f"port {port}"):
            StoreServer(tmp_path, http_port=free_port(), native_port=port).prepare()


def test_files_with_passwords_are_private(tmp_path: Path) -> None:
    """Configuration and passwords are for their owner's eyes; users.xml has digests only."""
    server = StoreServer(tmp_path, http_port=free_port(), native_port=free_port())
    server.prepare()
    files = [*(tmp_path / "keys").iterdir(), *(tmp_path / "clickhouse").glob("*.xml")]
    assert {path.name for path in files} == {
        "clickhouse-owner",
        "clickhouse-tidegate_writer",
        "users.xml",
        "config.xml",
    }
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    users = (tmp_path / "clickhouse" / "users.xml").read_text()
    assert server.owner.password not in users
    assert server.writer.password not in users
