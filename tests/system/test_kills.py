"""The system under ``kill -9``, in short; ``tidegate torture`` is the long form."""

from __future__ import annotations

import pytest

from infra.trials.torture import DOUBLED, PARTS, Blow, all_blows, run_torture
from tests.embedded import CACHE


@pytest.mark.system
@pytest.mark.kafka
@pytest.mark.clickhouse
@pytest.mark.slow
def test_killed_roles_lose_and_repeat_nothing() -> None:
    """Gate, worker and sink die under load; every request ends once and is stored once."""
    blows = [Blow(part=part, how="kill") for part in ("gate", "worker-small", "sink")]
    result = run_torture(CACHE, blows, per_s=(60, 100), seed=3, keep_logs=False)
    assert result.ok, result.model_dump_json(indent=2)
    assert result.requests > 300
    assert [blow.part for blow in result.blows] == ["gate", "worker-small", "sink"]


def test_all_blows_strike_every_part_as_often_as_told() -> None:
    """The full form kills each part so many times, and stops it, alone and beside another."""
    blows = all_blows(times=3, seed=5)
    assert sorted(b.part for b in blows if b.how == "kill") == sorted(PARTS * 3)
    assert {b.part for b in blows if b.how == "stop"} == set(PARTS) - {"supervisor"}
    assert {b.part for b in blows if b.how == "stop beside another"} == set(DOUBLED)
    assert blows == all_blows(times=3, seed=5)
    assert blows != all_blows(times=3, seed=6)
