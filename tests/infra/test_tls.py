"""Kafka and ClickHouse over TLS, by the settings that a user writes."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from infra.migrations import migrate
from infra.settings_sources import load_settings
from infra.topics import apply
from schemas.errors import ConfigError, StoreUnavailable
from streams.clickhouse_store import ClickHouseStore
from streams.kafka_log import client_options
from streams.log import Connection
from tests.embedded import CACHE, free_port, running
from tests.encrypted import Authority, EncryptedBroker, EncryptedStore

AUDIT = b'{"event_id":"6f0a3a0e-5d2b-5c1e-9b0a-7d1de6a7e001","workspace":"w"}'


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Who signs the servers' certificates."""
    return Authority(tmp_path / "certificates")


@pytest.mark.kafka
@pytest.mark.slow
def test_kafka_is_reached_by_who_can_prove_it(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Password and certificate open the broker; without one of them, or in the clear, nothing."""
    broker = EncryptedBroker(
        tmp_path,
        CACHE,
        port=free_port(),
        controller_port=free_port(),
        auth=True,
        authority=authority,
    )
    with running(broker):
        ours = broker.connection
        monkeypatch.setenv("TIDEGATE_KAFKA", ours.bootstrap)
        for name in ("protocol", "mechanism", "username", "password", "cafile", "certfile"):
            monkeypatch.setenv(f"TIDEGATE_KAFKA_SECURITY__{name.upper()}", getattr(ours, name))
        monkeypatch.setenv("TIDEGATE_KAFKA_SECURITY__KEYFILE", ours.keyfile)
        set_up = load_settings().connection()
        assert set_up == ours
        asyncio.run(apply(set_up, []))
        assert "llm.audit.v1" in asyncio.run(_topics(set_up))
        stranger = Authority(tmp_path / "others")
        for refused in (
            replace(ours, cafile=str(stranger.certificate)),
            replace(ours, certfile="", keyfile=""),
            replace(ours, password="guessed"),
            replace(ours, protocol="SASL_PLAINTEXT"),
        ):
            with pytest.raises(KafkaError):
                asyncio.run(_topics(refused))
    with pytest.raises(ConfigError, match="cannot read the certificates"):
        client_options(replace(ours, cafile=str(tmp_path / "nowhere.pem")))


@pytest.mark.clickhouse
@pytest.mark.slow
def test_clickhouse_is_reached_over_https(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tables are made and rows written under a certificate that is trusted, and under no other."""
    server = EncryptedStore(
        tmp_path, http_port=free_port(), native_port=free_port(), authority=authority
    )
    with running(server):
        ours = server.encrypted
        address = f"https://{ours.host}:{ours.port}/{ours.database}"
        monkeypatch.setenv("TIDEGATE_CLICKHOUSE", address)
        for name in ("username", "password", "cafile"):
            monkeypatch.setenv(f"TIDEGATE_CLICKHOUSE_SECURITY__{name.upper()}", getattr(ours, name))
        set_up = load_settings().store("owner")
        migrate(set_up)
        store = ClickHouseStore(set_up)
        store.insert("audit", [AUDIT], "one")
        store.close()
        stranger = Authority(tmp_path / "others")
        with pytest.raises(StoreUnavailable):
            ClickHouseStore(replace(set_up, cafile=str(stranger.certificate))).insert(
                "audit", [AUDIT], "two"
            )


async def _topics(connection: Connection) -> list[str]:
    admin = AIOKafkaAdminClient(**client_options(connection), request_timeout_ms=3000)
    try:
        await admin.start()
        return list(await admin.list_topics())
    finally:
        await admin.close()
