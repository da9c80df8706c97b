"""The command line: what it offers, how it ends, what it loads."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from infra.cli import COMMANDS, tidegate
from tests.embedded import free_port


def run(*arguments: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run ``tidegate`` as its user would."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith("TIDEGATE_")}
    return subprocess.run(
        [sys.executable, "-P", "-m", "infra.cli", *arguments],
        env=mine | variables,
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_every_subcommand_explains_itself(name: str) -> None:
    """Each has a module, a name and a first sentence that fits the overview."""
    context = click.Context(tidegate)
    command = tidegate.get_command(context, name)
    assert command is not None
    assert command.name == name
    assert not command.get_short_help_str(limit=60).endswith("...")


def test_the_overview_loads_no_library(tmp_path: Path) -> None:
    """Asking for help waits for neither settings nor Kafka, ClickHouse, models or terminals."""
    heavy = "aiokafka|pydantic|faust|clickhouse_connect|torch|vllm|rich|hyperscan|yaml|numpy"
    code = (
        "import sys, infra.cli\n"
        "infra.cli.tidegate.main(['--help'], standalone_mode=False)\n"
        f"sys.exit(' '.join(m for m in sys.modules if m in '{heavy}'.split('|')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stderr.strip() == ""


def test_a_configuration_error_is_one_sentence(tmp_path: Path) -> None:
    """What an operator must mend is said without a traceback, and ends with 2."""
    done = run("status", cwd=tmp_path, TIDEGATE_DATTA="x")
    assert done.returncode == 2
    assert done.stderr == ("tidegate: TIDEGATE_DATTA: is no setting; did you mean TIDEGATE_DATA?\n")


def test_a_misspelt_command_ends_with_2(tmp_path: Path) -> None:
    """A slip on the command line is a matter of configuration."""
    done = run("stats", cwd=tmp_path)
    assert done.returncode == 2
    assert "No such command 'stats'" in done.stderr


def test_nothing_running_is_said(tmp_path: Path) -> None:
    """``down`` on a resting system is fine; ``status`` of one is not."""
    down, status = run("down", cwd=tmp_path), run("status", cwd=tmp_path)
    assert (down.returncode, status.returncode) == (0, 1)
    assert "Nothing runs on" in down.stdout
    assert "Nothing runs on" in status.stderr


def test_a_log_that_does_not_answer_is_one_sentence(tmp_path: Path) -> None:
    """Without Kafka a client command says where it looked and how to start one."""
    address = f"127.0.0.1:{free_port()}"
    done = run("send", "hello", cwd=tmp_path, TIDEGATE_KAFKA=address)
    assert done.returncode == 1
    assert done.stderr == (
        f"tidegate: Kafka does not answer at {address}; `tidegate up` starts one here\n"
    )


def test_a_worker_names_its_pool(tmp_path: Path) -> None:
    """A worker without a pool, and a pool for another role, are refused."""
    for arguments in (("worker",), ("gate", "--pool", "small")):
        done = run("run", *arguments, cwd=tmp_path)
        assert done.returncode == 2
        assert done.stderr.startswith("tidegate: --pool: ")


def test_a_folder_called_like_a_package_of_ours_is_not_taken_for_it(tmp_path: Path) -> None:
    """A user's own ``schemas`` in the working folder does not get in the way."""
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "__init__.py").write_text("raise RuntimeError('the wrong one')")
    assert run("down", cwd=tmp_path).returncode == 0


def test_registry_check_lists_what_there_is(tmp_path: Path) -> None:
    """The shipped registry passes, with a version for each file."""
    from infra.registry import write_defaults

    write_defaults(tmp_path / "registry")
    done = run("registry", "check", cwd=tmp_path)
    assert done.returncode == 0
    assert "pool large: smollm2-135m on vllm" in done.stdout
