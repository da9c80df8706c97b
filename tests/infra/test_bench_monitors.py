"""``tidegate bench monitors``, small."""

from __future__ import annotations

import json

from click.testing import CliRunner

from infra.cli import tidegate
from monitors import MONITORS, PROBE_MONITORS
from monitors.planted_changes import DRILLS


def test_every_monitor_has_a_rate_and_a_size() -> None:
    """By itself, all together, and what takes in values of its own kind."""
    told = CliRunner().invoke(
        tidegate, ["bench", "monitors", "--requests", "100", "--repetitions", "1", "--json"]
    )
    assert told.exit_code == 0, told.output
    found = json.loads(told.output)
    assert set(found["monitors"]) == {kind.name for kind in MONITORS}
    assert set(found["probe_monitors"]) == {kind.name for kind in PROBE_MONITORS}
    assert found["observations"] > 5 * found["requests"]
    learning = {"drift", "embedding_drift"}
    assert set(found["drills"]) == {drill.monitor for drill in DRILLS} - learning
    parts = (found["monitors"], found["probe_monitors"], found["drills"], found["streams"])
    for cost in (found["watch"], *(cost for part in parts for cost in part.values())):
        assert cost["updates_per_s"]["mean"] > 0
        assert 0 < cost["state_bytes"] < 100_000
    assert found["monitors"]["embedding_drift"]["learned_bytes"] > 100 * 1000


def test_costs_are_printed_a_line_each() -> None:
    """For whoever reads them without JSON."""
    told = CliRunner().invoke(tidegate, ["bench", "monitors", "--requests", "100"])
    lines = told.output.splitlines()
    assert len([line for line in lines if line.startswith("monitors ")]) == len(MONITORS)
