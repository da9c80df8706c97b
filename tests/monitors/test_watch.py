"""All monitors of one deployment together."""

from __future__ import annotations

import pytest

from monitors import MONITORS, watch_of
from monitors.monitor import Monitor, Snapshot, finding
from monitors.watch import Watch
from schemas.watching import Finding, Observation
from tests.monitors.observations import Stream
from tests.monitors.traffic import Episode, Traffic, seen


class Counter:
    """A monitor that counts, and says the count."""

    name = "counter"
    version = "1"

    def __init__(self) -> None:
        self.count = 0

    def observe(self, observation: Observation) -> list[Finding]:
        """Count and state it."""
        self.count += 1
        return [finding(self, observation, "count", kind="value", value=float(self.count))]

    def snapshot(self) -> Snapshot:
        """Return the count."""
        return {"count": self.count}

    def restore(self, snapshot: Snapshot) -> None:
        """Take on a count."""
        self.count = int(str(snapshot["count"]))


class Later(Counter):
    """The same monitor in a later version."""

    version = "2"


def test_each_observation_is_applied_once() -> None:
    """A record read twice is counted once, in each of its partitions."""
    stream = Stream("bank")
    first, answer, second = stream.tick(), stream.response("r"), stream.tick()
    watch = Watch("bank", [Counter()])
    seen_again = [first, answer, first, second, answer, second, first]
    assert [f.value for one in seen_again for f in watch.observe(one)] == [1, 2, 3]


def test_what_was_applied_is_part_of_the_snapshot() -> None:
    """A watch that was restored skips what its predecessor took in."""
    stream = Stream("bank")
    ticks = [stream.tick() for _ in range(3)]
    watch, successor = Watch("bank", [Counter()]), Watch("bank", [Counter()])
    for one in ticks[:2]:
        watch.observe(one)
    successor.restore(watch.snapshot())
    assert [f.value for one in ticks for f in successor.observe(one)] == [3]


@pytest.mark.parametrize("monitors", [[Later()], [], [Later(), *(kind() for kind in MONITORS)]])
def test_another_version_starts_afresh(monitors: list[Monitor]) -> None:
    """State of another version, of a monitor gone or not yet there, is left alone."""
    stream = Stream("bank")
    watch, successor = Watch("bank", [Counter()]), Watch("bank", monitors)
    watch.observe(stream.tick())
    successor.restore(watch.snapshot())
    values = [f.value for f in successor.observe(stream.tick()) if f.monitor == "counter"]
    assert values == ([1] if monitors else [])


def test_another_deployments_observations_are_refused() -> None:
    """A mix-up in the wiring is an error, not a finding about the wrong deployment."""
    with pytest.raises(ValueError, match="'shop'"):
        watch_of("bank").observe(Stream("shop").tick())


def test_episodes_are_told_by_their_own_monitors_and_nothing_before_them() -> None:
    """A run with planned episodes: each is named by its cause, in order, and none comes early."""
    episodes = [
        Episode(300, 60, injections=0.4),
        Episode(460, 60, pii=0.5),
        Episode(640, 100, elsewhere=0.7),
        Episode(900, 300, slow=5.0),
    ]
    watch = watch_of("bank")
    told = [
        (one.number, finding)
        for one in seen(2, Traffic(requests=1250), episodes)
        for finding in watch.observe(one.observation)
        if finding.kind == "detection"
    ]
    starts = {f"{f.monitor} {f.segment.get('guard', f.segment.get('pool', ''))}" for _, f in told}
    assert told[0][0] >= 300
    assert {"guard_rates injection", "guard_rates pii", "topic_shift ", "latency small"} <= starts
