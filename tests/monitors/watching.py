"""What monitors say about traffic, for tests and for measuring their false alarms and delays."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache

import orjson

from monitors.monitor import Monitor, Snapshot
from monitors.watch import Watch
from schemas.watching import Finding, Observation
from tests.monitors.traffic import Episode, Traffic, seen


def handed_over(watch: Watch, successor: Watch) -> Watch:
    """Return ``successor`` with the state of ``watch`` and what it learned, as they are stored."""
    parts = {name: orjson.dumps(part()) for name, part in watch.learned().items()}
    state: Snapshot = orjson.loads(orjson.dumps(watch.snapshot()))
    successor.relearn({name: orjson.loads(part) for name, part in parts.items()})
    successor.restore(state)
    return successor


def told(monitor: Monitor, observations: Iterable[Observation]) -> list[Finding]:
    """Return all that ``monitor`` says to ``observations`` but for plain values."""
    said = [finding for one in observations for finding in monitor.observe(one)]
    return [finding for finding in said if finding.kind != "value"]


def values(monitor: Monitor, observations: Iterable[Observation]) -> list[Finding]:
    """Return the plain values that ``monitor`` states."""
    said = [finding for one in observations for finding in monitor.observe(one)]
    return [finding for finding in said if finding.kind == "value"]


def detected(
    build: Callable[[], Monitor],
    seed: int,
    traffic: Traffic | None = None,
    episodes: Sequence[Episode] = (),
) -> list[tuple[int, Finding]]:
    """Return the detections in one run of traffic, each with the number of its request."""
    monitor = build()
    return [
        (one.number, finding)
        for one in seen(seed, traffic, episodes)
        for finding in monitor.observe(one.observation)
        if finding.kind == "detection"
    ]


@cache
def steady(seed: int) -> tuple[Observation, ...]:
    """Return a thousand requests of which none is out of the ordinary."""
    return tuple(one.observation for one in seen(seed, Traffic(requests=1000)))


def told_on(
    build: Callable[[], Monitor], episode: Episode, seed: int = 1, requests: int = 900
) -> list[Finding]:
    """Return what a new monitor says but for values, about traffic with one episode."""
    traffic = Traffic(requests=requests)
    return told(build(), (one.observation for one in seen(seed, traffic, [episode])))
