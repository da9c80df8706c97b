"""What is installed is what the tree holds, under names that nobody else uses."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = {"schemas", "inference", "monitors", "alerts", "feedback", "streams", "infra"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> ZipFile:
    """The wheel, built from this tree."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    # The wheel must not depend on how the surroundings of its building are set.
    surroundings = {key: value for key, value in os.environ.items() if "HATCH" not in key}
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, env=surroundings)
    [path] = folder.glob("*.whl")
    return ZipFile(path)


def test_the_wheel_holds_the_rooms_and_nothing_else(wheel: ZipFile) -> None:
    """Its top-level packages are the seven rooms, beside its own metadata."""
    top = {name.partition("/")[0] for name in wheel.namelist()}
    [metadata] = [name for name in top if name.endswith(".dist-info")]
    assert metadata.startswith("tidegate-")
    assert top - {metadata} == ROOMS


def test_the_wheel_holds_every_file_of_the_rooms(wheel: ZipFile) -> None:
    """Tables, examples, lock lists, weights and all other data are installed with the code."""
    there = {
        str(path.relative_to(ROOT))
        for room in ROOMS
        for path in (ROOT / room).rglob("*")
        if path.is_file() and path.parent.name != "__pycache__"
    }
    assert there - set(wheel.namelist()) == set()
    kinds = {Path(name).suffix for name in there}
    assert kinds >= {".py", ".typed", ".sql", ".json", ".yaml", ".lock", ".bin"}


def test_the_wheel_carries_licence_and_command(wheel: ZipFile) -> None:
    """The licence's text travels along, and `tidegate` is a command."""
    by_name = {Path(name).name: name for name in wheel.namelist() if ".dist-info/" in name}
    assert wheel.read(by_name["LICENSE"]) == (ROOT / "LICENSE").read_bytes()
    assert b"tidegate = infra.cli:main" in wheel.read(by_name["entry_points.txt"])


def test_each_room_is_typed(wheel: ZipFile) -> None:
    """Type checkers of other projects see our types."""
    names = set(wheel.namelist())
    assert {f"{room}/py.typed" for room in ROOMS} <= names
    assert {f"{room}/__init__.py" for room in ROOMS} <= names


def test_no_installed_distribution_uses_the_names_of_the_rooms() -> None:
    """Plain top-level packages hold only as long as no dependency ships one of the same name."""
    owners = packages_distributions()
    taken = {room: set(owners.get(room, [])) - {"tidegate"} for room in ROOMS}
    assert {room for room, others in taken.items() if others} == set()


def test_every_room_is_built_tested_and_held_to_the_rules() -> None:
    """The lists of rooms in pyproject.toml agree with each other."""
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    assert set(tools["hatch"]["build"]["targets"]["wheel"]["packages"]) == ROOMS
    assert set(tools["importlinter"]["root_packages"]) == ROOMS
    assert set(tools["mypy"]["packages"]) == ROOMS | {"tests"}
    assert set(tools["pytest"]["ini_options"]["testpaths"]) == ROOMS | {"tests"}
