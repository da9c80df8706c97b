"""What holds for every monitor, whatever happens to its deployment."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from functools import cache

import orjson
import pytest

from monitors import MONITORS
from monitors.monitor import Monitor
from monitors.watch import Watch
from schemas.base import Origin
from schemas.codec import decode, encode
from schemas.watching import Finding, Observation
from tests.monitors.drift.places import texts, usual
from tests.monitors.observations import Stream
from tests.monitors.traffic import Episode, Seen, Traffic, seen
from tests.monitors.watching import handed_over, steady

EVERY_MONITOR = pytest.mark.parametrize("kind", MONITORS, ids=lambda kind: str(kind.name))

SNAPSHOT_MAX_BYTES = 100_000
VECTORS = texts(usual(1100, 1), 2)
RESET = 1070
EPISODES = (
    Episode(250, 60, injections=0.5, pii=0.5),
    Episode(350, 60, elsewhere=0.8, refused=0.6),
    Episode(450, 300, slow=6.0, tokens=60),
    Episode(800, 60, broken_guard=True),
    Episode(900, 120, unfair=0.9),
)


@cache
def eventful(runs: int = 1) -> tuple[Observation, ...]:
    """Return traffic in which everything goes wrong that a monitor may speak of, several times."""
    return tuple(
        moved(one, 100_000 * run)
        for run in range(runs)
        for one in with_everything(seen(5 + run, Traffic(requests=1100), EPISODES))
    )


def with_everything(traffic: Iterable[Seen]) -> Iterator[Observation]:
    """Yield traffic with its requests' beginnings and ends and its pool's workers besides."""
    beside = Stream("bank")
    opened = -1
    for one in traffic:
        beside.now = one.observation.occurred_at
        while opened < one.number:
            opened += 1
            yield beside.opened(opened, f"r{opened}", 10.0)
            if opened % 100:
                yield apart(beside.settled(opened))
            else:
                version = opened // 100
                yield beside.attacked(f"v{version}", found=120 if version % 3 == 1 else 180)
        if one.observation.response is None and one.observation.scanned is None:
            yield apart(beside.pool(live_workers=one.number // 100 % 2))
        yield one.observation
        if one.observation.response is not None:
            vector, topic = VECTORS[one.number % len(VECTORS)], f"t{one.number % 7}"
            yield beside.embedded(f"r{one.number}", vector, topic=topic)
            if one.number % 3 == 0:
                yield beside.rated(f"r{one.number}", 1 + one.number % 5)
            if one.number == RESET:
                yield beside.reset()


def apart(observation: Observation) -> Observation:
    """Return the observation with an origin that no record of the traffic has."""
    origin = observation.origin
    aside = origin.model_copy(update={"topic": f"beside.{origin.topic}"})
    return observation.model_copy(update={"origin": aside})


def moved(observation: Observation, by: int) -> Observation:
    """Return the observation as it would stand so many records later in its partition."""
    later = {"origin": further(observation.origin, by)}
    if observation.settled is None:
        return observation.model_copy(update=later)
    request = further(observation.settled.request, by)
    settled = observation.settled.model_copy(update={"request": request})
    return observation.model_copy(update=later | {"settled": settled})


def further(origin: Origin, by: int) -> Origin:
    """Return a later place in the same partition."""
    return origin.model_copy(update={"offset": origin.offset + by})


def said(watch: Watch, observations: Iterable[Observation]) -> list[bytes]:
    """Return every finding as it goes over the wire."""
    return [encode(finding) for one in observations for finding in watch.observe(one)]


def fresh(kind: type[Monitor]) -> Watch:
    """Return a watch with one new monitor."""
    return Watch("bank", [kind()])


def through_json(watch: Watch, kind: type[Monitor]) -> Watch:
    """Return a new watch that was given the snapshot of ``watch`` as it is stored."""
    return handed_over(watch, fresh(kind))


@EVERY_MONITOR
def test_the_traffic_of_these_laws_makes_every_monitor_speak(kind: type[Monitor]) -> None:
    """The laws are not kept by silence."""
    assert said(fresh(kind), eventful())


@EVERY_MONITOR
def test_the_same_observations_give_the_same_findings(kind: type[Monitor]) -> None:
    """Byte for byte, ids included, also when the observations came over the wire."""
    again = [decode(Observation, encode(one)) for one in eventful()]
    assert said(fresh(kind), eventful()) == said(fresh(kind), again)


@EVERY_MONITOR
@pytest.mark.parametrize("every", [1, 97, 1500])
def test_a_restart_changes_nothing(kind: type[Monitor], every: int) -> None:
    """Stopped and restored from its snapshot at any place, a monitor says the same."""
    observations = eventful()[: 400 if every == 1 else None]
    watch, findings = fresh(kind), []
    for number, one in enumerate(observations):
        if number % every == 0:
            watch = through_json(watch, kind)
        findings += said(watch, [one])
    assert findings == said(fresh(kind), observations)


@EVERY_MONITOR
def test_what_comes_again_is_skipped(kind: type[Monitor]) -> None:
    """A stretch of records read again after a kill adds no finding and loses none."""
    observations = list(eventful())
    repeated = observations[:1500] + observations[1000:2000] + observations[1500:]
    assert said(fresh(kind), repeated) == said(fresh(kind), observations)


@EVERY_MONITOR
def test_order_between_partitions_does_not_matter_much(kind: type[Monitor]) -> None:
    """Records that come late and out of order break nothing and raise no alarm by themselves."""
    observations = list(steady(4))
    shuffle = random.Random(3)
    for start in range(0, len(observations), 50):
        window = observations[start : start + 50]
        shuffle.shuffle(window)
        observations[start : start + 50] = window
    monitor = kind()
    findings: list[Finding] = [f for one in observations for f in monitor.observe(one)]
    assert [finding.cause for finding in findings if finding.kind == "detection"] == []


@EVERY_MONITOR
def test_snapshots_stay_small(kind: type[Monitor]) -> None:
    """After twenty thousand observations the state is as small as it was after some."""
    watch = fresh(kind)
    observations = eventful(runs=4)
    assert len(observations) > 20_000
    for one in observations:
        watch.observe(one)
    assert len(orjson.dumps(watch.snapshot())) < SNAPSHOT_MAX_BYTES


@EVERY_MONITOR
def test_time_alone_is_no_news(kind: type[Monitor]) -> None:
    """Ticks before anything happened are taken in silence."""
    stream = Stream("bank")
    assert said(fresh(kind), [stream.after(5).tick() for _ in range(100)]) == []


@EVERY_MONITOR
def test_findings_are_complete(kind: type[Monitor]) -> None:
    """A detection has a cause, says since when, and no two findings share an id."""
    watch = fresh(kind)
    findings = [finding for one in eventful() for finding in watch.observe(one)]
    assert len({finding.event_id for finding in findings}) == len(findings)
    for finding in findings:
        assert finding.monitor == kind.name
        if finding.kind == "detection":
            assert finding.cause
            assert finding.since_at is not None
            assert finding.since_at <= finding.occurred_at


@EVERY_MONITOR
def test_detections_and_recoveries_alternate(kind: type[Monitor]) -> None:
    """Of each key a detection is told once, and again only after its end was."""
    watch = fresh(kind)
    last: dict[str, str] = {}
    for one in eventful():
        for finding in watch.observe(one):
            if finding.kind == "value":
                continue
            wanted = "recovery" if last.get(finding.key) == "detection" else "detection"
            assert finding.kind == wanted
            last[finding.key] = finding.kind


def test_names_are_unique() -> None:
    """No two monitors share a name."""
    assert len({kind.name for kind in MONITORS}) == len(MONITORS)
