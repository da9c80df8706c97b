"""Gaps between groups of people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import orjson
import pytest

from monitors.group_gaps import GroupGaps
from schemas.requests import ResponseStatus
from schemas.watching import Observation
from tests.monitors.observations import Stream
from tests.monitors.traffic import Episode
from tests.monitors.watching import steady, told, told_on, values

ALL_THE_SAME = {"a": 0.06, "b": 0.06, "c": 0.06}


def served(
    refused: Mapping[str, float], requests: int, seed: int = 0, stream: Stream | None = None
) -> Iterator[Observation]:
    """Yield answers to groups, each with its rate of refusals, and a tick after every fifth."""
    rng = np.random.default_rng(seed)
    stream = stream or Stream("bank")
    names = sorted(refused)
    for number, turn in enumerate(rng.choice(len(names), requests, p=_shares(len(names)))):
        group = names[turn]
        guards = ("refusal",) if rng.random() < refused[group] else ()
        metadata = {"group.origin": group, "campaign": "spring"}
        yield stream.after(0.2).response(f"r{number}", guards=guards, metadata=metadata)
        if number % 5 == 4:
            yield stream.tick()


def _shares(groups: int) -> list[float]:
    weights = [2.0 ** -(group + 1) for group in range(groups)]
    return [weight / sum(weights) for weight in weights]


@pytest.mark.parametrize("seed", range(3))
def test_steady_traffic_says_nothing(seed: int) -> None:
    """Groups that are served alike differ by chance; that is no news."""
    assert told(GroupGaps(), steady(seed)) == []


def test_groups_that_are_alike_stay_alike_however_long_one_looks() -> None:
    """Over several stretches with a look at every second."""
    assert told(GroupGaps(stretch=1500), served(ALL_THE_SAME, 4000)) == []


def test_a_gap_is_told_once_and_so_is_its_end() -> None:
    """The end comes with the first stretch in which it could not be shown."""
    stream = Stream("bank")
    observations = [
        *served(ALL_THE_SAME | {"b": 0.3}, 2500, stream=stream),
        *served(ALL_THE_SAME, 2500, stream=stream),
    ]
    findings = told(GroupGaps(stretch=1500), observations)
    assert [one.kind for one in findings] == ["detection", "recovery"]
    assert {one.key for one in findings} == {
        "group_gaps|bank|refused_rate|dimension=origin,group=b,reference=a"
    }


def test_the_cause_names_groups_rates_and_intervals() -> None:
    """An operator reads who was compared with whom, and by how much they differ."""
    (gap,) = told(GroupGaps(), served(ALL_THE_SAME | {"b": 0.25}, 4000))
    assert "answers to origin b refused" in gap.cause
    assert "to a: the difference is +" in gap.cause
    assert "the ratio " in gap.cause
    assert gap.baseline is not None
    assert gap.value > 2 * gap.baseline
    assert len(gap.exemplars) == 3


def test_few_items_are_not_compared() -> None:
    """Ninety-nine of a group say nothing yet, however they fared."""
    stream = Stream("bank")
    observations = []
    for number in range(1000):
        one = number % 10 == 0 and number < 990
        status = ResponseStatus.WITHHELD if one else ResponseStatus.RELEASED
        metadata = {"group.age": "old" if one else "young"}
        observations.append(
            stream.after(0.2).response(f"r{number}", status=status, metadata=metadata)
        )
        observations.append(stream.tick())
    assert told(GroupGaps(), observations) == []


def test_an_unfair_episode_is_told() -> None:
    """Answers to one group that are withheld stand out from the others'."""
    (gap,) = told_on(GroupGaps, Episode(400, 200, unfair=0.5))
    assert gap.metric == "withheld_rate"
    assert gap.segment == {"dimension": "age", "group": "older", "reference": "younger"}


def test_requests_without_groups_and_failed_ones_count_for_nothing() -> None:
    """Nobody is asked which group they belong to."""
    stream = Stream("bank")
    plain = [stream.after(1).response(f"r{number}") for number in range(300)]
    failed = [
        stream.after(1).response(
            f"f{number}", status=ResponseStatus.FAILED, metadata={"group.age": "old"}
        )
        for number in range(300)
    ]
    assert values(GroupGaps(), [*plain, *failed, stream.after(60).tick()]) == []


def test_any_number_of_groups_is_kept_in_bounded_memory() -> None:
    """Groups and dimensions beyond the bounds are counted together or not at all."""
    monitor, stream = GroupGaps(), Stream("bank")
    for number in range(2000):
        metadata = {f"group.d{number % 9}": f"g{number % 91}", "group.x": f"g{number}"}
        metadata |= {"group.y" * 50: "long", "group.d1": "very long" * 1000}
        blocked = ResponseStatus.BLOCKED if number % 2 else ResponseStatus.WITHHELD
        request_id = f"{number:036}"
        monitor.observe(stream.response(request_id, status=blocked, metadata=metadata))
    assert len(orjson.dumps(monitor.snapshot())) < 50_000
