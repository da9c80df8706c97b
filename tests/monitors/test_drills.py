"""Monitors see what is planted for them; one that does not is told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta

import orjson
import pytest

from monitors import MONITORS
from monitors.drills import Drills
from monitors.latency import LatencyShift
from monitors.monitor import Monitor
from monitors.planted_changes import DRILLS, Drill
from monitors.topic_shift import TopicShift
from monitors.watch import Watch
from schemas.codec import encode
from schemas.watching import Finding, Observation
from tests.monitors.drift.places import texts, usual
from tests.monitors.observations import NOON, Stream
from tests.monitors.traffic import Episode, Traffic, seen

SOON = timedelta(seconds=1)
KINDS = {kind.name: kind for kind in MONITORS}


class Blind(LatencyShift):
    """A monitor that does not look for its first nine minutes, and then does."""

    def observe(self, observation: Observation) -> list[Finding]:
        """Say nothing, or what there is to say."""
        told = super().observe(observation)
        return told if observation.occurred_at > NOON + timedelta(minutes=9) else []


def steady(
    requests: int = 1500, episodes: Sequence[Episode] = (), *, embedded: bool = False
) -> Iterator[Observation]:
    """Yield traffic with a pool that has a worker, and where its prompts lie if ``embedded``."""
    beside = Stream("bank")
    places = texts(usual(requests, 3), 3) if embedded else ()
    for one in seen(3, Traffic(requests=requests), episodes):
        beside.now = one.observation.occurred_at
        if one.observation.is_tick:
            yield beside.pool(live_workers=1)
        if embedded and one.observation.response is not None:
            yield beside.embedded(f"r{one.number}", places[one.number])
        yield one.observation


def drilled(
    monitor: Monitor, observations: Iterable[Observation], known: int = 1000
) -> list[Finding]:
    """Return what drills of one monitor say, each beginning a second after the last."""
    drills = Drills([monitor], every=SOON, known=known)
    return [said for one in observations for said in drills.observe(one, monitor.observe(one))]


@pytest.mark.parametrize("drill", DRILLS, ids=lambda drill: drill.monitor)
def test_a_monitor_that_works_sees_what_is_planted(drill: Drill) -> None:
    """Again and again, within half of the events that it is given."""
    observations = steady(embedded=drill.kind == "embedded")
    known = 40 if drill.kind == "pool" else 1000
    found = drilled(KINDS[drill.monitor](), observations, known=known)
    assert {one.kind for one in found} == {"value"}
    assert {one.value for one in found if one.metric == "sensitivity"} == {1.0}
    delays = [one.value for one in found if one.metric == "delay_events"]
    assert max(delays) <= drill.events / 2


def test_a_monitor_that_sees_nothing_is_told_once_and_its_end() -> None:
    """The cause names it, what was planted and since when."""
    monitor = Blind()
    begun, ended = [one for one in drilled(monitor, steady(3600)) if one.kind != "value"]
    assert (begun.kind, ended.kind) == ("detection", "recovery")
    assert begun.segment == {"monitor": "latency"}
    assert begun.samples >= 500
    assert "latency said nothing in a drill: answers that took five times as long" in begun.cause
    assert begun.since_at is not None
    assert ended.value == 1.0


def test_a_monitor_that_learned_on_a_bad_day_is_told() -> None:
    """What it takes as usual is so slow that five times as slow as now is nothing to it."""
    slow = Episode(0, 250, slow=8.0)
    (told,) = [
        one for one in drilled(LatencyShift(), steady(3000, [slow])) if one.kind == "detection"
    ]
    assert "latency said nothing in a drill" in told.cause


def test_a_monitor_that_has_told_a_change_is_left_alone() -> None:
    """Its copy could not tell it again."""
    slow = Episode(800, 700, slow=6.0)
    assert drilled(LatencyShift(), steady(episodes=[slow])) == []


def test_drills_change_nothing_for_the_monitors_themselves() -> None:
    """What is planted is in the copy alone."""
    kinds = [KINDS[drill.monitor] for drill in DRILLS]
    alone, watched = [kind() for kind in kinds], [kind() for kind in kinds]
    drills = Drills(watched, every=SOON)
    for one in steady():
        expected = [encode(told) for monitor in alone for told in monitor.observe(one)]
        told = [told for monitor in watched for told in monitor.observe(one)]
        drills.observe(one, told)
        assert [encode(one) for one in told] == expected


@pytest.mark.parametrize("every", [211, 997])
def test_a_restart_in_the_middle_of_a_drill_changes_nothing(every: int) -> None:
    """The copy is part of the snapshot."""
    hourly = [one.model_copy(update={"occurred_at": NOON + 15 * (one.occurred_at - NOON)}) for one
              in steady()]  # fmt: skip
    whole, parted = Watch("bank", [TopicShift()]), Watch("bank", [TopicShift()])
    expected = [encode(said) for one in hourly for said in whole.observe(one)]
    found = []
    for number, one in enumerate(hourly):
        if number % every == 0:
            stored = orjson.loads(orjson.dumps(parted.snapshot()))
            parted = Watch("bank", [TopicShift()])
            parted.restore(stored)
        found += [encode(said) for said in parted.observe(one)]
    assert found == expected
    assert any(b'"monitor":"drills"' in said for said in found)
