"""What comes before the first start: fetched once, and made where no `up` makes it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from infra import fetch as fetching
from infra.fetch import fetch
from infra.prepare import prepare
from infra.settings import ClickHouseSecurity, Settings
from infra.store import StoreServer
from infra.topics import topics_for
from schemas.errors import ConfigError
from streams.clickhouse_client import connect
from streams.kafka_log import KafkaLog
from streams.log import Connection
from tests.embedded import CACHE


@pytest.mark.kafka
@pytest.mark.clickhouse
async def test_registry_topics_and_tables_are_made_once(
    kafka: Connection, clickhouse_server: StoreServer, tmp_path: Path
) -> None:
    """On bare servers everything that the roles need is made; again, nothing changes."""
    owner = clickhouse_server.owner
    settings = Settings(
        kafka=kafka.bootstrap,
        clickhouse=f"http://{owner.host}:{owner.port}/prepared",
        clickhouse_security=ClickHouseSecurity.model_validate(
            {"username": owner.username, "password": owner.password}
        ),
        registry=tmp_path / "registry",
        data=tmp_path / "data",
    )
    for _ in range(2):
        assert await asyncio.to_thread(prepare, settings) == ["small", "large"]
    log = KafkaLog(kafka)
    try:
        made = [await log.partitions(name) for name in topics_for(["small", "large"])]
    finally:
        await log.close()
    assert set(made) == {settings.topics.partitions}
    client = connect(settings.store("owner"))
    try:
        assert client.command("SELECT count() FROM responses") == 0
    finally:
        client.command("DROP DATABASE prepared")
        client.close()


@pytest.mark.parametrize("module", ["infra.fetch", "infra.prepare"])
def test_a_misspelt_setting_stops_it(
    module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an operator must mend is one sentence on standard error, and no traceback."""
    monkeypatch.setenv("TIDEGATE_KAFFKA", "kafka:9092")
    done = subprocess.run(
        [sys.executable, "-m", module], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr == (
        "tidegate: TIDEGATE_KAFFKA: is no setting; did you mean TIDEGATE_KAFKA?\n"
    )


@pytest.mark.kafka
def test_everything_fetched_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step of fetching is told with its duration, the models by name."""
    monkeypatch.setattr(fetching, "SHIPPED", ("tidegate-bank-2m",))
    said: list[str] = []
    fetch(CACHE, said.append)
    assert [line.split()[:3] for line in said] == [
        ["92", "jars", "of"],
        ["model", "tidegate-bank-2m", "in"],
    ]


def test_what_cannot_be_fetched_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model that is not there is named, and the way to it as well."""
    monkeypatch.setattr(fetching, "ensure_jars", lambda cache: [])
    monkeypatch.setattr(fetching, "SHIPPED", ("no-such-model",))
    with pytest.raises(ConfigError, match="no model 'no-such-model'"):
        fetch(tmp_path, lambda line: None)
