"""What ``up`` would start, and what it refuses before it starts anything."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from infra.cores import spread
from infra.plan import make_plan
from infra.settings import Disk, Ports, Settings, SupervisorSettings
from infra.supervisor import Plan
from schemas.errors import ConfigError
from tests.embedded import free_port


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a system on free ports."""
    return Settings(
        data=tmp_path / "data",
        registry=tmp_path / "registry",
        ports=Ports(
            kafka=free_port(),
            kafka_controller=free_port(),
            clickhouse_http=free_port(),
            clickhouse_native=free_port(),
        ),
        supervisor=SupervisorSettings(worker_nice=7),
    )


def names(plan: Plan) -> tuple[list[str], list[str]]:
    """Return the names of a plan's servers and roles."""
    return [part.name for part in plan.servers], [part.name for part in plan.roles]


def test_the_whole_system_is_planned(settings: Settings) -> None:
    """Broker, store and every role, with a worker for each pool of the shipped registry."""
    assert names(make_plan(settings)) == (
        ["broker", "store"],
        ["gate", "worker-small", "worker-large", "sink", "monitors", "alerts"],
    )


def test_texts_are_embedded_where_a_deployment_asks(settings: Settings) -> None:
    """The role that loads a model of its own is there for those who want it."""
    make_plan(settings)
    bank = settings.registry / "deployments" / "bank.yaml"
    bank.write_text(bank.read_text() + "embeddings: {share: 0.5, per_s: 10}\n")
    assert names(make_plan(settings))[1][-1] == "embeddings"


def test_servers_elsewhere_are_not_started(settings: Settings) -> None:
    """An address in the settings takes the place of a server of our own."""
    elsewhere = settings.model_copy(update={"kafka": "k:9092", "clickhouse": "http://c:8123/t"})
    assert names(make_plan(elsewhere))[0] == []


def test_workers_give_way_and_keep_to_their_cores(settings: Settings) -> None:
    """Only workers are nice, and no two of them are told the same cores while there are enough."""
    parts = {part.name: part for part in make_plan(settings).roles}
    assert {name: part.nice for name, part in parts.items() if part.nice} == {
        "worker-large": 7,
        "worker-small": 7,
    }
    variables = parts["worker-large"].variables()
    cores = variables["VLLM_CPU_OMP_THREADS_BIND"].split(",")
    assert len(cores) == int(variables["OMP_NUM_THREADS"])
    assert parts["gate"].variables() == {"OMP_NUM_THREADS": "1"}


def test_roles_are_told_of_the_settings_file(settings: Settings, tmp_path: Path) -> None:
    """A role reads the very file that `up` was given."""
    path = tmp_path / "some.toml"
    plan = make_plan(settings.model_copy(update={"config": path}))
    command = list(plan.roles[1].command())
    assert command[command.index("--config") + 1] == str(path)
    assert command[-2:] == ["--pool", "small"]


def test_a_taken_port_is_refused(settings: Settings) -> None:
    """The port and its setting are named, and no folder was made."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", settings.ports.clickhouse_native))
        taken.listen()
        with pytest.raises(ConfigError, match=r"for ports\.clickhouse_native, cannot be opened"):
            make_plan(settings)
    assert not settings.data.exists()


def test_one_port_for_two_is_refused(settings: Settings) -> None:
    """Two servers cannot share a port."""
    ports = settings.ports.model_copy(update={"kafka": settings.ports.clickhouse_http})
    with pytest.raises(ConfigError, match="kafka and clickhouse_http must not be the same port"):
        make_plan(settings.model_copy(update={"ports": ports}))


def test_a_disk_that_is_nearly_full_is_refused(settings: Settings) -> None:
    """The free space and what is needed are both said."""
    full = settings.model_copy(update={"disk": Disk(min_free_bytes=1 << 60)})
    with pytest.raises(ConfigError, match=r"GB free and 1152921504\.6 are needed"):
        make_plan(full)


def test_a_policy_with_an_unknown_guard_is_refused(settings: Settings) -> None:
    """A misspelt guard stops the start, with file, line and key."""
    make_plan(settings)
    policy = settings.registry / "policies" / "default.yaml"
    policy.write_text(policy.read_text().replace("guards: all", "guards: [pii, injektion]"))
    with pytest.raises(ConfigError, match=r"default\.yaml:3: guards\.1: no guard 'injektion'"):
        make_plan(settings)


@pytest.mark.parametrize("cores", [1, 2, 3, 7, 64])
@pytest.mark.parametrize("workers", [1, 2, 3, 5])
def test_cores_are_spread(cores: int, workers: int) -> None:
    """Each worker has a core; apart and all used if there are enough, the last no worse off."""
    shares = spread(range(cores), workers)
    assert len(shares) == workers
    assert all(shares)
    if workers <= cores:
        assert sorted(core for share in shares for core in share) == list(range(cores))
        assert len(shares[-1]) == max(len(share) for share in shares)
