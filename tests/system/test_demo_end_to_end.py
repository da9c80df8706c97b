"""The demo as its user runs it: real broker and store, every role a process, scripted engines."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.datafolder import DataFolder
from infra.demo.run import Options, run_demo
from infra.settings import Disk, Ports, Settings
from infra.state import read_state
from infra.undertaker import end_leftovers
from tests.embedded import CACHE, free_port
from tests.infra.dummies import eventually

DEPLOYMENT = """
name: bank
pools:
  - name: small
    engine: scripted
    model: parrot
    engine_args: {token_s: 0.03, answers: [You find it in the app., "It takes 3 days."]}
  - name: large
    engine: scripted
    model: large-parrot
    engine_args: {token_s: 0.06, answers: ["That depends on your contract, which the app shows."]}
"""


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """A system of its own; nothing of it is left behind."""
    registry = tmp_path / "registry"
    for name, text in (
        ("deployments/bank", DEPLOYMENT),
        ("policies/default", "name: default"),
        ("alerts/default", "name: default"),
    ):
        path = registry / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    ports = ("kafka", "kafka_controller", "clickhouse_http", "clickhouse_native")
    made = Settings(
        data=tmp_path / "data",
        registry=registry,
        cache=CACHE,
        ports=Ports(**{name: free_port() for name in ports}),
        disk=Disk(min_free_bytes=0),
    )
    yield made
    folder = DataFolder(made.data)
    if supervisor := folder.holder():
        os.kill(supervisor, signal.SIGKILL)
    eventually(lambda: folder.holder() is None)
    assert end_leftovers(read_state(folder.run)) == []


@pytest.fixture(autouse=True)
def _settings_for_roles(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the processes of the roles the same settings."""
    for name in ("data", "registry", "cache"):
        monkeypatch.setenv(f"TIDEGATE_{name.upper()}", str(getattr(settings, name)))
    for name, port in settings.ports.model_dump().items():
        monkeypatch.setenv(f"TIDEGATE_PORTS__{name.upper()}", str(port))
    monkeypatch.setenv("TIDEGATE_DISK__MIN_FREE_BYTES", "0")


@pytest.mark.system
@pytest.mark.kafka
@pytest.mark.clickhouse
@pytest.mark.slow
def test_every_episode_raises_its_alert_and_the_account_is_exact(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    """Started from nothing, the demo passes, and leaves nothing running."""
    passed = run_demo(settings, Options(requests=400, span_s=20.0, as_json=True))
    report = json.loads(capsys.readouterr().out)
    assert report["amiss"] == []
    assert passed
    eventually(lambda: DataFolder(settings.data).holder() is None)
