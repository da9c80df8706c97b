"""The Compose file fits its schema, agrees with the embedded system and has no default password."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator  # type: ignore[import-untyped] # has no stubs

from infra.broker_config import properties
from infra.roles import ROLES
from infra.settings_sources import known_keys, variable_of
from infra.store_config import Passwords, users

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text()
VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?P<rest>[^}]*)\}")
SECRET = re.compile(r"PASSWORD|SECRET|TOKEN|KEY|CLUSTER_ID", re.IGNORECASE)
SERVERS = {"kafka", "clickhouse", "grafana"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The Compose file with its anchors followed."""
    read: dict[str, Any] = yaml.safe_load(TEXT)
    return read


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Its services by name."""
    found: dict[str, dict[str, Any]] = compose["services"]
    return found


def test_it_fits_the_schema_of_compose_files(compose: dict[str, Any]) -> None:
    """The file is valid by the JSON Schema of the Compose specification."""
    path = distribution("docker-compose").locate_file("compose/config/compose_spec.json")
    schema = json.loads(Path(str(path)).read_text())
    found = [error.message for error in Draft7Validator(schema).iter_errors(compose)]
    assert found == []
    assert list(Draft7Validator(schema).iter_errors({"services": {"gate": {"imagge": "x"}}}))


def test_every_role_has_a_service_of_its_own(services: dict[str, dict[str, Any]]) -> None:
    """Each role runs, by the one Dockerfile, and says when it serves."""
    ran: dict[str, list[str]] = {}
    for name, service in services.items():
        if name in SERVERS or name == "prepare":
            continue
        run, role, *options = service["command"]
        assert run == "run"
        assert options[-2:] == ["--ready-file", "/run/tidegate/ready"]
        assert service["healthcheck"]["test"] == ["CMD", "test", "-e", "/run/tidegate/ready"]
        assert service["build"]["context"] == "."
        ran.setdefault(role, []).append(name)
    assert set(ran) == set(ROLES)
    assert ran["worker"] == ["worker-small", "worker-large", "worker-large-gpu"]


def test_a_container_that_starts_again_is_not_taken_for_ready(
    services: dict[str, dict[str, Any]],
) -> None:
    """The file that says a role serves lies where a stopped container leaves nothing."""
    for name, service in services.items():
        if name not in SERVERS:
            assert service["tmpfs"] == ["/run/tidegate:mode=1777"]


def test_the_workers_of_the_shipped_pools_are_there(services: dict[str, dict[str, Any]]) -> None:
    """Each pool of the shipped registry has a worker, the large one in either profile."""
    pools = set()
    for path in (ROOT / "infra/registry_defaults/deployments").glob("*.yaml"):
        pools |= {pool["name"] for pool in yaml.safe_load(path.read_text())["pools"]}
    served: dict[str, list[str]] = {}
    for service in services.values():
        if "--pool" in service.get("command", []):
            pool = service["command"][service["command"].index("--pool") + 1]
            served.setdefault(pool, []).extend(service.get("profiles", ["always"]))
    assert set(served) == pools
    assert served == {"small": ["always"], "large": ["cpu", "gpu"]}
    devices = services["worker-large-gpu"]["deploy"]["resources"]["reservations"]["devices"]
    assert devices == [{"driver": "nvidia", "count": 1, "capabilities": ["gpu"]}]
    assert services["worker-large-gpu"]["build"]["args"] == {"LOCK": "gpu"}


def test_every_service_that_stays_has_a_health_check(services: dict[str, dict[str, Any]]) -> None:
    """Whether a service works is known of each but the one that runs once."""
    for name, service in services.items():
        check = service["healthcheck"]
        if name == "prepare":
            assert check == {"disable": True}
        else:
            assert check["test"][0] == "CMD"
            assert {"interval", "timeout", "retries"} <= check.keys()


def test_images_are_pinned(services: dict[str, dict[str, Any]]) -> None:
    """Each image has a version, down to the minor one at least; so has the Dockerfile's base."""
    images = [service["image"] for service in services.values()]
    images += re.findall(r"^FROM (\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    for image in images:
        assert re.search(r":\d+\.\d+[\w.-]*$", image)


def test_no_password_has_a_default(services: dict[str, dict[str, Any]]) -> None:
    """What is secret comes from the environment, and is asked for where it is missing."""
    secrets = 0
    for service in services.values():
        for name, value in service.get("environment", {}).items():
            if SECRET.search(name):
                used = VARIABLE.fullmatch(str(value))
                assert used
                assert used["rest"].startswith(":?set it in .env to ")
                secrets += 1
    assert secrets >= 5
    assert not re.search(r"(?i)changeme|password123|secret123", TEXT)


def test_every_variable_is_in_the_example() -> None:
    """env.example lists each variable once; those that are secret are empty there."""
    lines = re.findall(r"^(\w+)=(.*)$", (ROOT / "env.example").read_text(), re.MULTILINE)
    example = dict(lines)
    assert len(example) == len(lines)
    used = {match["name"]: match["rest"] for match in VARIABLE.finditer(TEXT)}
    assert set(example) == set(used) | {"COMPOSE_PROFILES"}
    for name, rest in used.items():
        assert example[name] == ("" if rest.startswith(":?") else rest.removeprefix(":-"))


def test_nothing_is_published_beyond_this_machine(services: dict[str, dict[str, Any]]) -> None:
    """Each published port is one of the loopback address."""
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert len(ports) == 4
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_the_roles_get_settings_that_exist(services: dict[str, dict[str, Any]]) -> None:
    """No TIDEGATE_* variable, in the Compose file or the Dockerfile, is misspelt."""
    known = {variable_of(key) for key in known_keys()}
    named = set(services["gate"]["environment"])
    named |= set(re.findall(r"TIDEGATE_\w+(?==)", (ROOT / "Dockerfile").read_text()))
    assert {name for name in named if name.startswith("TIDEGATE_")} <= known


def test_kafka_behaves_as_the_embedded_broker_does(services: dict[str, dict[str, Any]]) -> None:
    """Every setting that both have is the same, and none that matters is left out."""
    ours = {}
    for name, value in services["kafka"]["environment"].items():
        if name.startswith("KAFKA_"):
            ours[name.removeprefix("KAFKA_").lower().replace("_", ".")] = str(value)
    text = properties(Path("/data"), "127.0.0.1", 9092, 9093, None)
    embedded = dict(line.split("=", 1) for line in text.splitlines())
    places = re.compile(r"listener|log\.dirs|controller\.quorum")
    shared = {key for key in ours.keys() & embedded.keys() if not places.search(key)}
    assert {key: ours[key] for key in shared} == {key: embedded[key] for key in shared}
    sizes = re.compile(r"num\.|buffer\.size")
    left_out = {key for key in embedded.keys() - ours.keys() if embedded[key]}
    assert {key for key in left_out if not places.search(key) and not sizes.search(key)} == set()


def test_the_reader_has_the_limits_of_the_embedded_one() -> None:
    """Dashboards may do the same on both: read one database, within the same bounds."""
    theirs = ET.fromstring(users(Passwords("o", "w", "r"), "tidegate"))
    ours = ET.parse(ROOT / "infra/compose/reader.xml").getroot()
    profile = "profiles/reader"
    assert _tree(ours, profile) == _tree(theirs, profile)
    assert ours.findtext("users/reader/grants/query") == theirs.findtext(
        "users/default/grants/query"
    )
    password = ours.find("users/reader/password")
    assert password is not None
    assert password.attrib == {"from_env": "CLICKHOUSE_READER_PASSWORD"}
    assert password.text is None


def _tree(root: ET.Element, path: str) -> list[tuple[str, str]]:
    found = root.find(path)
    assert found is not None
    return sorted((element.tag, (element.text or "").strip()) for element in found.iter())


def test_the_image_holds_every_room() -> None:
    """The Dockerfile copies all packages, and .dockerignore lets them through."""
    dockerfile = (ROOT / "Dockerfile").read_text()
    ignored = (ROOT / ".dockerignore").read_text().split()
    rooms = {path.parent.name for path in ROOT.glob("*/py.typed")}
    assert set(re.findall(r"^COPY (\w+) \1$", dockerfile, re.MULTILINE)) == rooms
    assert {f"!{room}" for room in rooms} <= set(ignored)
