"""The supervisor, with dummy parts as real processes."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from infra.daemon import start_daemon
from infra.datafolder import DataFolder
from infra.keeper import Backoff
from infra.state import Phase, State
from infra.undertaker import end_leftovers
from schemas.errors import ConfigError
from tests.infra.dummies import (
    DIES,
    FADES,
    LIVES,
    NEVER_READY,
    REFUSES,
    STUBBORN,
    eventually,
    group_of,
    plan_of,
    settings_for,
    started,
    state_of,
    until_ready,
)


def pid_of(state: State, name: str) -> int:
    """Return the process of the part called ``name``; 0 if it has none."""
    return next(part.pid or 0 for part in state.parts if part.name == name)


def test_everything_becomes_ready_servers_first(tmp_path: Path) -> None:
    """The roles start once the servers are ready, each as a group of its own."""
    settings = settings_for(tmp_path / "data")
    with started(settings, plan_of(DataFolder(settings.data), gate=LIVES, sink=LIVES)) as daemon:
        state = until_ready(daemon)
        assert [part.name for part in state.parts] == ["server", "gate", "sink"]
        server, *roles = state.parts
        assert all(role.since_at >= server.since_at for role in roles)
        assert all(len(group_of(part.pid)) == 2 for part in state.parts)
        assert all(os.getsid(part.pid or 0) == part.pid for part in state.parts)


def test_what_dies_is_started_again_with_its_whole_group_gone(tmp_path: Path) -> None:
    """A killed part comes back as a new group, and what the old one had started is gone."""
    settings = settings_for(tmp_path / "data")
    with started(settings, plan_of(DataFolder(settings.data), gate=LIVES)) as daemon:
        first = pid_of(until_ready(daemon), "gate")
        left = next(pid for pid in group_of(first) if pid != first)
        os.kill(first, signal.SIGKILL)
        eventually(lambda: pid_of(state_of(settings), "gate") not in (0, first))
        assert left not in group_of(first)
        eventually(lambda: state_of(settings).parts[1].phase is Phase.READY)
        assert state_of(settings).parts[1].restarts == 1


def test_a_dying_server_leaves_the_roles_running(tmp_path: Path) -> None:
    """Only what died is started again."""
    settings = settings_for(tmp_path / "data")
    with started(settings, plan_of(DataFolder(settings.data), gate=LIVES)) as daemon:
        state = until_ready(daemon)
        os.kill(pid_of(state, "server"), signal.SIGKILL)
        eventually(lambda: state_of(settings).parts[0].restarts == 1)
        eventually(lambda: state_of(settings).parts[0].phase is Phase.READY)
        assert pid_of(state_of(settings), "gate") == pid_of(state, "gate")


def test_waits_double_up_to_the_longest() -> None:
    """The wait before a restart doubles with each death and stays at the longest."""
    backoff = Backoff(first_s=0.5, most_s=30)
    assert [backoff.wait_s(deaths) for deaths in (1, 2, 3, 7, 1000)] == [0.5, 1, 2, 30, 30]


def test_what_never_lives_ends_up(tmp_path: Path) -> None:
    """A part that dies again and again before it was ever ready is named, with its last words."""
    settings = settings_for(tmp_path / "data", backoff_first_s=0.1, backoff_most_s=30.0)
    folder = DataFolder(settings.data)
    refused = pytest.raises(ConfigError, match="gate cannot start: exit 3: nothing to live for")
    with started(settings, plan_of(folder, gate=DIES)) as daemon, refused:
        daemon.result()
    lines = [json.loads(line) for line in folder.log_file("supervisor").read_text().splitlines()]
    waits = [line["message"].rsplit(" in ", 1)[1] for line in lines if " again " in line["message"]]
    assert waits == ["0.1 s", "0.2 s", "0.4 s", "0.8 s"]


def test_everything_dies_with_a_killed_supervisor(tmp_path: Path) -> None:
    """After kill -9 of the supervisor no process of any group is left, and the folder is free."""
    settings = settings_for(tmp_path / "data")
    folder = DataFolder(settings.data)
    with started(settings, plan_of(folder, gate=LIVES, sink=STUBBORN)) as daemon:
        state = until_ready(daemon)
        os.kill(daemon.pid, signal.SIGKILL)
        eventually(lambda: folder.holder() is None)
        eventually(lambda: not any(group_of(part.pid) for part in state.parts))


def test_stopping_leaves_nothing(tmp_path: Path) -> None:
    """SIGTERM ends everything, also what does not care for it, and says so in the state."""
    settings = settings_for(tmp_path / "data")
    folder = DataFolder(settings.data)
    with started(settings, plan_of(folder, gate=LIVES, sink=STUBBORN)) as daemon:
        state = until_ready(daemon)
        daemon.stop()
        daemon.result()
        assert state_of(settings).phase is Phase.STOPPED
        assert not any(group_of(part.pid) for part in state.parts)
        eventually(lambda: folder.holder() is None)


def test_a_second_signal_stops_at_once(tmp_path: Path) -> None:
    """Who cannot wait for the draining says so by a second Ctrl-C."""
    settings = settings_for(tmp_path / "data", drain_s=10_000)
    with started(settings, plan_of(DataFolder(settings.data), sink=STUBBORN)) as daemon:
        state = until_ready(daemon)
        daemon.stop()
        eventually(lambda: state_of(settings).parts[1].phase is Phase.DRAINING)
        daemon.stop()
        daemon.result()
        assert not any(group_of(part.pid) for part in state.parts)


def test_a_second_up_is_refused_with_the_pid(tmp_path: Path) -> None:
    """While one supervisor holds the folder another says whose it is, and harms nothing."""
    settings = settings_for(tmp_path / "data")
    folder = DataFolder(settings.data)
    with started(settings, plan_of(folder, gate=LIVES)) as first:
        until_ready(first)
        second = start_daemon(settings, plan_of(folder, gate=LIVES), attached=True)
        with pytest.raises(ConfigError, match=f"is in use by process {first.pid};"):
            second.result()
        assert state_of(settings).phase is Phase.READY


def test_up_goes_on_where_a_killed_one_left_off(tmp_path: Path) -> None:
    """A lock file and a state that a killed supervisor left do not stand in the way."""
    settings = settings_for(tmp_path / "data")
    folder = DataFolder(settings.data)
    with started(settings, plan_of(folder, gate=LIVES)) as first:
        until_ready(first)
        os.kill(first.pid, signal.SIGKILL)
        with started(settings, plan_of(folder, gate=LIVES)) as second:
            assert pid_of(until_ready(second), "gate") != 0


def test_a_part_that_refuses_its_configuration_ends_up(tmp_path: Path) -> None:
    """The sentence a part ends with is the sentence `up` ends with, and nothing goes on."""
    settings = settings_for(tmp_path / "data")
    with started(settings, plan_of(DataFolder(settings.data), gate=REFUSES)) as daemon:
        with pytest.raises(ConfigError, match="gate cannot start: the setting x is wrong"):
            daemon.result()
        state = state_of(settings)
        assert state.phase is Phase.FAILED
        assert not any(part.pid for part in state.parts)


def test_what_was_ready_once_is_never_given_up(tmp_path: Path) -> None:
    """A part that keeps dying later is started again for ever."""
    settings = settings_for(tmp_path / "data")
    with started(settings, plan_of(DataFolder(settings.data), gate=FADES)) as daemon:
        until_ready(daemon)
        eventually(lambda: state_of(settings).parts[1].restarts >= 7)


def test_a_part_that_never_becomes_ready_ends_up(tmp_path: Path) -> None:
    """What is late is named."""
    settings = settings_for(tmp_path / "data", ready_s=1.0)
    plan = plan_of(DataFolder(settings.data), server=NEVER_READY)
    late = pytest.raises(ConfigError, match="not ready after 1 s: server")
    with started(settings, plan) as daemon, late:
        daemon.result()


def test_what_a_part_prints_is_in_its_log_as_json(tmp_path: Path) -> None:
    """Whatever is printed becomes a JSON line of the part's log."""
    settings = settings_for(tmp_path / "data")
    folder = DataFolder(settings.data)
    with started(settings, plan_of(folder, gate=LIVES)) as daemon:
        until_ready(daemon)
        (line,) = folder.log_file("gate").read_text().splitlines()
        assert json.loads(line)["message"] == "here is gate"
        assert json.loads(line)["role"] == "gate"


def test_leftovers_are_known_by_their_pipe_not_by_their_number(tmp_path: Path) -> None:
    """A process that took over a recorded number is somebody else's and is left alone."""
    settings = settings_for(tmp_path / "data")
    with started(settings, plan_of(DataFolder(settings.data), gate=LIVES)) as daemon:
        state = until_ready(daemon)
        gate = state.parts[1]
        strangers = gate.model_copy(update={"pipe": (gate.pipe or 0) + 1_000_000})
        assert end_leftovers(state.model_copy(update={"parts": (strangers,)})) == []
        assert group_of(gate.pid)
        assert end_leftovers(state.model_copy(update={"parts": (gate,)})) == ["gate"]
