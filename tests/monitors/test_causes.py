"""The cause inside a finding: the segment, its requests, the moment, and what else changed."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

import orjson

from monitors import watch_of
from monitors.causes import Causes
from monitors.watch import Watch
from schemas.codec import encode
from schemas.verdicts import Outcome
from schemas.watching import Finding, Observation
from tests.monitors.observations import Stream, verdict

CHANNELS, LANGUAGES = ("app", "web", "branch"), ("de", "en", "fr")
Wrong = Callable[[int, dict[str, str]], bool]


def traffic(
    wrong: Wrong, *, requests: int = 800, slow: Wrong = lambda *_: False, version_at: int = 10_000
) -> Iterator[Observation]:
    """Yield the verdict on each prompt and its answer; those of ``wrong`` are attacks."""
    rng = random.Random(4)
    stream = Stream()
    for number in range(requests):
        metadata = {"channel": rng.choice(CHANNELS), "language": rng.choice(LANGUAGES)}
        attack = wrong(number, metadata)
        stream.after(0.2)
        outcome = Outcome.BLOCK if attack else Outcome.PASS
        scan = stream.scanned(f"r{number}", [verdict("injection", outcome)])
        assert scan.scanned is not None
        scanned = scan.scanned.model_copy(update={"metadata": metadata})
        yield scan.model_copy(update={"scanned": scanned})
        latency_s = (6.0 if slow(number, metadata) else 1.0) * rng.lognormvariate(0, 0.3)
        answered = stream.response(f"r{number}", latency_s=latency_s, metadata=metadata)
        response = answered.response
        assert response is not None
        assert response.served is not None
        version = "v1" if number < version_at else "v2"
        served = response.served.model_copy(update={"deployment_version": version})
        told = response.model_copy(update={"served": served})
        yield answered.model_copy(update={"response": told})
        if number % 25 == 0:
            yield stream.tick()


def detections(watch: Watch, observations: Iterator[Observation]) -> list[Finding]:
    """Return the detections of all monitors."""
    findings = [told for one in observations for told in watch.observe(one)]
    return [told for told in findings if told.kind == "detection"]


def from_branch(number: int, metadata: dict[str, str]) -> bool:
    """Return whether a request is one of the attacks, which come from the branch."""
    return number >= 500 and metadata["channel"] == "branch" and number % 3 > 0


def test_a_burst_from_one_channel_names_the_channel() -> None:
    """The finding says which, since when, how much of the change, and shows requests of it."""
    (told,) = detections(watch_of("bank"), traffic(from_branch))
    best = told.causes[0]
    assert best.segment == {"channel": "branch"}
    assert best.before < 0.05 < 0.4 < best.after
    assert best.explains > 0.8
    assert best.exemplars
    assert all(int(one[1:]) >= 500 for one in best.exemplars)
    assert "it sits in channel branch" in told.cause
    assert told.changed is not None
    assert told.changed.earliest_at <= told.changed.at <= told.changed.latest_at
    assert told.changed.earliest_at <= Stream().after(0.2 * 503).now
    assert told.changed.latest_at >= Stream().after(0.2 * 500).now


def test_slow_answers_of_one_language_name_it() -> None:
    """Durations are explained by the share of slow answers."""
    found = detections(
        watch_of("bank"),
        traffic(lambda *_: False, slow=lambda n, m: n >= 400 and m["language"] != "de"),
    )
    assert {told.metric for told in found} == {"latency_s"}
    assert {tuple(c.segment) for told in found for c in told.causes} <= {("language",)}


def test_a_new_version_is_named() -> None:
    """Since it answers, all answers are slow; when it began is said besides."""
    (told,) = detections(
        watch_of("bank"),
        traffic(lambda *_: False, slow=lambda n, _: n >= 400, version_at=398),
    )
    assert told.causes[0].segment == {"version": "v2"}
    assert any("deployment version v2 (before: deployment version v1)" in b for b in told.beside)


def test_a_restart_changes_no_cause() -> None:
    """The memory is part of the snapshot: findings are the same, byte for byte."""
    whole, parted = watch_of("bank"), watch_of("bank")
    expected = [encode(told) for told in detections(whole, traffic(from_branch))]
    found = []
    for number, one in enumerate(traffic(from_branch)):
        if number % 150 == 0:
            stored = orjson.loads(orjson.dumps(parted.snapshot()))
            parted = watch_of("bank")
            parted.restore(stored)
        found += [encode(told) for told in parted.observe(one) if told.kind == "detection"]
    assert found == expected


def test_what_clients_say_of_requests_takes_bounded_room() -> None:
    """Long labels are not remembered, and none stands in for what we say ourselves."""
    causes = Causes()
    stream = Stream()
    told = {
        **{f"label{number}": "x" for number in range(12)},
        "channel": "x" * 1_000_000,
        "x" * 1_000_000: "app",
        "pool": "made-up",
        "workspace": "made-up",
    }
    for number in range(100):
        scan = stream.scanned(f"r{number}", [])
        assert scan.scanned is not None
        scanned = scan.scanned.model_copy(update={"metadata": told})
        causes.observe(scan.model_copy(update={"scanned": scanned}))
        causes.observe(stream.response(f"r{number}", metadata=told))
    stored = orjson.dumps(causes.snapshot())
    assert len(stored) < 20_000
    assert b"made-up" not in stored
    dimensions = orjson.loads(stored)["memory"]["state"]["dimensions"]
    assert dimensions["workspace"] == ["default"]
    assert dimensions["pool"] == ["small"]
