"""The whole system by its commands alone, on real servers, with an engine that reads a script."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.datafolder import DataFolder
from infra.registry import DEFAULTS
from infra.state import Phase, read_state
from tests.embedded import CACHE, free_port
from tests.infra.dummies import eventually, group_of

pytestmark = [pytest.mark.system, pytest.mark.kafka, pytest.mark.clickhouse, pytest.mark.slow]

DEPLOYMENT = """\
name: default
pools:
  - name: script
    engine: scripted
    model: script
    engine_args:
      answers: ["Cards are blocked in the app."]
"""


class System:
    """A system of its own in a folder, run by ``tidegate``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = DataFolder(folder / "data")
        mine = {n: v for n, v in os.environ.items() if not n.startswith("TIDEGATE_")}
        self._environment = mine | {
            "TIDEGATE_CACHE": str(CACHE),
            "TIDEGATE_DATA": str(self.data.path),
            "TIDEGATE_PORTS__KAFKA": str(free_port()),
            "TIDEGATE_PORTS__KAFKA_CONTROLLER": str(free_port()),
            "TIDEGATE_PORTS__CLICKHOUSE_HTTP": str(free_port()),
            "TIDEGATE_PORTS__CLICKHOUSE_NATIVE": str(free_port()),
        }
        for part in ("policies", "alerts"):
            (folder / "registry" / part).mkdir(parents=True)
            text = (DEFAULTS / part / "default.yaml").read_text()
            (folder / "registry" / part / "default.yaml").write_text(text)
        (folder / "registry" / "deployments").mkdir()
        (folder / "registry" / "deployments" / "default.yaml").write_text(DEPLOYMENT)

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run ``tidegate WORDS`` to its end."""
        return subprocess.run(
            [sys.executable, "-P", "-m", "infra.cli", *words],
            env=self._environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )

    def groups(self) -> list[int]:
        """Return the process groups of the parts."""
        state = read_state(self.data.run)
        return [part.pid for part in state.parts if part.pid] if state else []

    def all_ready(self) -> bool:
        """Return whether every part is ready."""
        state = read_state(self.data.run)
        return state is not None and all(part.phase is Phase.READY for part in state.parts)


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system that is up; gone with the tests, whatever they did to it."""
    made = System(tmp_path_factory.mktemp("system"))
    up = made.run("up", "--wait")
    try:
        assert up.returncode == 0, up.stderr
        yield made
    finally:
        made.run("down")


def ask(system: System, prompt: str) -> str:
    """Send a prompt, wait for its answer and return what was printed."""
    done = system.run("send", prompt, "--wait")
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_request_is_answered_stored_and_traced(system: System) -> None:
    """What goes in by ``send`` comes back, and its whole way can be followed."""
    assert ask(system, "How do I block my card?") == "Cards are blocked in the app.\n"
    request_id = system.run("send", "My card is 4111 1111 1111 1111").stdout.strip()
    eventually(lambda: "released" in system.run("trace", request_id).stdout)
    rows = json.loads(system.run("trace", request_id, "--json").stdout)
    assert [row["status"] for row in rows["responses"]] == ["released"]
    assert "4111" not in json.dumps(rows)
    assert "4111" not in "".join(path.read_text() for path in system.data.logs.iterdir())


def test_everything_comes_back_after_kill_9_of_every_part(system: System) -> None:
    """Each part is killed; all are ready again, and requests are answered."""
    for group in system.groups():
        os.kill(group, signal.SIGKILL)
    eventually(lambda: not system.all_ready())
    eventually(system.all_ready)
    assert "blocked in the app" in ask(system, "And now?")


def test_up_goes_on_after_kill_9_of_the_supervisor(system: System) -> None:
    """Nothing is left of the killed system, and the next ``up`` takes its place."""
    groups, pid = system.groups(), system.data.holder()
    assert pid
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: system.data.holder() is None)
    assert not any(group_of(group) for group in groups)
    assert system.run("up", "--wait").returncode == 0
    assert "blocked in the app" in ask(system, "Still there?")


def test_a_second_up_is_refused_and_topics_are_as_they_should_be(system: System) -> None:
    """The second ``up`` names the first; applying topics again changes nothing."""
    second = system.run("up", "--wait")
    assert second.returncode == 2
    assert f"is in use by process {system.data.holder()}; `tidegate down`" in second.stderr
    assert system.run("topics", "apply").stdout == "Every topic is as it should be.\n"
    assert system.run("status").returncode == 0
    assert system.run("alerts", "list").stdout == ""


def test_down_leaves_no_process(system: System) -> None:
    """After ``down`` no process is left, and the folder is free."""
    groups = system.groups()
    done = system.run("down")
    assert done.returncode == 0
    assert done.stdout.endswith("Stopped.\n")
    assert not any(group_of(group) for group in groups)
    assert system.data.holder() is None
