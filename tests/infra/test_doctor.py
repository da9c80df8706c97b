"""What ``doctor`` finds, and that it says how to mend it."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from infra import doctor
from infra.doctor import Check, examine, report
from infra.settings import Disk, Ports, Settings
from tests.embedded import free_port


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings of a machine on which nothing has been started yet."""
    monkeypatch.setattr(doctor, "_PACKAGES", ("json", "no_such_package"))
    return Settings(
        data=tmp_path / "data",
        registry=tmp_path / "registry",
        cache=tmp_path / "cache",
        ports=Ports(
            kafka=free_port(),
            kafka_controller=free_port(),
            clickhouse_http=free_port(),
            clickhouse_native=free_port(),
        ),
    )


def found(settings: Settings, name: str) -> list[Check]:
    """Return the checks called ``name``."""
    return [check for check in examine(settings) if check.name.startswith(name)]


def test_a_package_that_does_not_load_is_named(settings: Settings) -> None:
    """The error of the import and the remedy are both said."""
    good, bad = found(settings, "package")
    assert (good.found, bad.found) == ("ok", "wrong")
    assert "no_such_package cannot be imported: ModuleNotFoundError" in bad.said
    assert "make setup" in bad.said


def test_jars_that_are_not_there_are_named(settings: Settings) -> None:
    """An empty cache says which jar is missing and who fetches it; nothing is downloaded."""
    (jars,) = found(settings, "jars")
    assert jars.found == "wrong"
    assert "`up` fetches it from Maven Central" in jars.said
    assert not list((settings.cache / "jars").iterdir())


def test_java_and_clickhouse_run(settings: Settings) -> None:
    """Both come out of their packages, with nothing on the machine."""
    assert [check.found for check in found(settings, "java")] == ["ok"]
    assert [check.found for check in found(settings, "clickhouse")] == ["ok"]


def test_a_taken_port_is_named_with_its_variable(settings: Settings) -> None:
    """The variable that chooses another port stands in the sentence."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", settings.ports.kafka))
        taken.listen()
        (wrong,) = [check for check in found(settings, "port") if check.found == "wrong"]
    assert "TIDEGATE_PORTS__KAFKA" in wrong.said


def test_a_full_disk_is_wrong(settings: Settings) -> None:
    """Too little space is said with what is needed."""
    full = settings.model_copy(update={"disk": Disk(min_free_bytes=1 << 60)})
    (disk,) = found(full, "disk")
    assert disk.found == "wrong"


def test_a_mistake_in_the_registry_is_named(settings: Settings) -> None:
    """The registry is checked before it is used."""
    (settings.registry / "deployments").mkdir(parents=True)
    (settings.registry / "deployments" / "default.yaml").write_text("name: default\npool: []\n")
    (registry,) = found(settings, "registry")
    assert registry.found == "wrong"
    assert "default.yaml:1: pools" in registry.said


def test_an_open_data_folder_is_noted(settings: Settings) -> None:
    """A data folder that other accounts can enter is not silently accepted."""
    settings.data.mkdir(mode=0o755)
    settings.data.chmod(0o755)
    (data,) = found(settings, "data")
    assert (data.found, "mode 755" in data.said) == ("note", True)


def test_servers_elsewhere_need_nothing_here(settings: Settings) -> None:
    """With Kafka and ClickHouse elsewhere neither Java, jars nor ports matter, but answers do."""
    address = f"127.0.0.1:{free_port()}"
    elsewhere = settings.model_copy(
        update={"kafka": address, "clickhouse": f"http://{address}/tidegate"}
    )
    checks = {check.name: check for check in examine(elsewhere)}
    assert {"java", "jars", "port"}.isdisjoint(checks)
    assert checks["kafka"].found == "wrong"
    assert address in checks["kafka"].said
    assert checks["store"].found == "wrong"


def test_the_report_is_json_if_asked(capsys: pytest.CaptureFixture[str]) -> None:
    """Every check is an object; one that is wrong makes the whole wrong, a note does not."""
    checks = [Check("a", "ok", "fine"), Check("b", "note", "slow"), Check("c", "wrong", "mend")]
    assert report(checks[:2], as_json=True)
    assert not report(checks, as_json=False)
    printed = capsys.readouterr().out
    assert json.loads(printed[: printed.index("]") + 1])[1] == {
        "name": "b",
        "found": "note",
        "said": "slow",
    }
    assert "To mend: 1." in printed
