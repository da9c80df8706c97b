"""What changed beside the traffic: announced once, named once, and in the cause of a finding."""

from __future__ import annotations

from typing import Any

import orjson

from monitors import watch_of
from monitors.changes import Changes
from monitors.watch import Watch
from schemas.base import event_id
from schemas.improving import DeploymentChanged, RolloverStep, ScaleDecided
from schemas.watching import Observation
from tests.monitors.observations import NOON, Stream
from tests.monitors.test_causes import detections, from_branch, traffic

POLICY = {"policy": "default", "policy_version": "p1", "pools": ("small",)}


def decided(stream: Stream, kind: type[Any], **said: Any) -> Observation:
    """Return a record of the control topic."""
    event = kind(
        event_id=event_id("test", str(said)), occurred_at=stream.now, deployment="bank", **said
    )
    return stream.control(event)


def test_what_the_registry_says_anew_is_announced_once() -> None:
    """The first time, and again only when a file changed; what is read again announces nothing."""
    stream, watch = Stream(), Watch("bank", [])
    said = [
        stream.registered(deployment_version=version, **POLICY) for version in ("v1", "v1", "v2")
    ]
    announced = []
    for one in (*said, *said):
        announced.append(watch.announced(one))
        watch.observe(one)
        restored = Watch("bank", [])
        restored.restore(orjson.loads(orjson.dumps(watch.snapshot())))
        watch = restored
    first, second = [one for one in announced if one is not None]
    assert (first.deployment_version, first.previous_version) == ("v1", None)
    assert (second.deployment_version, second.previous_version) == ("v2", "v1")
    assert second == Watch("bank", []).announced(said[2]).model_copy(  # type: ignore[union-attr]
        update={"previous_version": "v1"}
    )


def test_a_change_is_told_once_however_often_it_shows() -> None:
    """Announced, then served; answers that were on their way still name the version before."""
    stream, changes = Stream(), Changes()
    changes.observe(stream.response("r0"))
    changes.observe(decided(stream, DeploymentChanged, deployment_version="2", **POLICY))
    changes.observe(stream.after(1).response("r1"))
    changes.observe(stream.response("r2"))
    told = changes.since(NOON)
    assert told == (
        "12:00:00 deployment version 2 (before: deployment version 1)",
        "12:00:00 policy default p1 (before: policy default 1)",
    )


def test_rollovers_and_scale_are_told() -> None:
    """Each step once, the first included."""
    stream, changes = Stream(), Changes()
    canary = {"candidate_version": "v2", "step": "canary"}
    for _ in range(2):
        changes.observe(decided(stream, RolloverStep, **canary, share=0.05))
        scaled = {"pool": "small", "workers": 3, "previous_workers": 1, "reason": "backlog"}
        changes.observe(decided(stream, ScaleDecided, **scaled))
    back = {**canary, "step": "rolled_back", "share": 0}
    changes.observe(decided(stream.after(60), RolloverStep, **back))
    said = [told.partition(" ")[2] for told in changes.since(NOON)]
    canary_said = "version v2 canary, with 5.0 % of the requests"
    assert said == [
        canary_said,
        "workers wanted in pool small: 3 (before: workers wanted in pool small: 1)",
        f"version v2 rolled back, with 0 % of the requests (before: {canary_said})",
    ]


def test_a_change_about_then_stands_in_the_cause() -> None:
    """One long before the change does not."""
    beside = Stream()
    early = decided(beside, ScaleDecided, pool="p", workers=2, previous_workers=1, reason="")
    late = decided(beside.after(98), RolloverStep, candidate_version="v9", step="canary", share=0.1)
    observations = [early, *traffic(from_branch)]
    observations.insert(1000, late)
    (told,) = detections(watch_of("bank"), iter(observations))
    assert told.beside == ("12:01:38 version v9 canary, with 10 % of the requests",)
    assert told.beside[0] in told.cause
