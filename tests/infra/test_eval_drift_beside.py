"""Other detectors are judged on the same streams; what cannot run is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import orjson
import pytest

from infra.alibi import start
from infra.eval.drift import beside, rivers
from infra.eval.drift.beside import judge_others
from infra.eval.drift.kinds import KINDS
from tests.infra.test_eval_drift import pools


@pytest.mark.parametrize(("name", "most"), [("ADWIN", 600), ("PageHinkley", 250), ("HDDM_W", 250)])
def test_rivers_detectors_keep_a_stated_run_length(name: str, most: float) -> None:
    """Calibrated, each speaks as rarely as stated, if it can be made to speak so often."""
    rng = np.random.default_rng(1)
    detector = rivers.RiverDrift(rivers.KINDS[name], rng.normal(size=500), arl=100)
    told = [detector.update(float(value)) for value in rng.normal(size=6000)]
    assert 40 < 6000 / sum(alarm is not None for alarm in told) < most
    risen = [detector.update(float(value)) for value in rng.normal(2, 1, 60)]
    assert any(risen)


def test_a_restart_of_rivers_detectors_changes_nothing() -> None:
    """Restored from its snapshot as JSON at any value, it raises the same alarms."""
    rng = np.random.default_rng(2)
    usual, values = rng.normal(size=500), rng.normal(0.3, 1, 300).tolist()
    straight = rivers.RiverDrift(rivers.KINDS["PageHinkley"], usual, arl=50)
    restarted = rivers.RiverDrift(rivers.KINDS["PageHinkley"], usual, arl=50)
    alarms = 0
    for value in values:
        restarted.restore(orjson.loads(orjson.dumps(restarted.snapshot())))
        alarm = straight.update(value)
        assert restarted.update(value) == alarm
        alarms += alarm is not None
    assert alarms > 2


def test_others_are_judged_and_absent_ones_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """River's detectors have figures of every kind; alibi-detect's say how to install them."""
    monkeypatch.setattr(beside, "REFERENCES", 1)
    monkeypatch.setattr(beside, "STREAMS", 1)
    monkeypatch.setattr(start, "ENVIRONMENT", tmp_path)
    monkeypatch.setattr(rivers, "UNTOUCHED", {"ADWIN": rivers.UNTOUCHED["ADWIN"]})
    monkeypatch.setattr(rivers, "KINDS", {"PageHinkley": rivers.KINDS["PageHinkley"]})
    found = judge_others(pools(), lambda *_: None)
    assert set(found) == {"river ADWIN", "river PageHinkley, calibrated", "alibi-detect"}
    assert set(found["river PageHinkley, calibrated"]["delays"]) == set(KINDS)
    assert "make alibi" in found["alibi-detect"]["left_out"]
