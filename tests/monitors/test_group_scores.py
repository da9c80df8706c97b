"""Gaps between groups in what guards score."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping

import orjson
import pytest

from monitors.group_gaps import GroupGaps
from schemas.verdicts import Direction, Outcome, Verdict
from schemas.watching import Observation
from tests.monitors.observations import Stream, verdict
from tests.monitors.watching import told, values


def scored(guard: str, score: float) -> Verdict:
    """Return a verdict with this score."""
    outcome = Outcome.FLAG if score >= 0.5 else Outcome.PASS
    return verdict(guard, outcome).model_copy(update={"score": score})


def served(
    rude: Mapping[str, float], requests: int, stream: Stream | None = None, harm: float = 0.1
) -> Iterator[Observation]:
    """Yield prompts of groups and their answers, of which shares are rude, and ticks."""
    rng, stream = random.Random(5), stream or Stream("bank")
    for number in range(requests):
        group = rng.choice([*sorted(rude), min(rude)])
        request_id, metadata = f"r{number}", {"group.origin": group, "channel": "app"}
        score = harm if group == "b" else 0.1
        yield stream.after(0.2).scanned(request_id, [scored("harm", score)], metadata=metadata)
        tone = 0.9 if rng.random() < rude[group] else 0.0
        yield stream.scanned(request_id, [scored("tone", tone)], Direction.ANSWER)
        if number % 5 == 4:
            yield stream.tick()


def test_groups_that_are_alike_stay_alike_however_long_one_looks() -> None:
    """Over several stretches, with a look at every second."""
    assert told(GroupGaps(stretch=1500), served({"a": 0.05, "b": 0.05}, 5000)) == []


def test_ruder_answers_to_a_group_are_told_once_and_their_end() -> None:
    """The cause says how far the means are apart, and shows rude answers."""
    stream = Stream("bank")
    observations = [
        *served({"a": 0.02, "b": 0.2}, 3000, stream),
        *served({"a": 0.02, "b": 0.02}, 4000, stream),
    ]
    begun, ended = told(GroupGaps(stretch=3000), observations)
    assert (begun.kind, ended.kind) == ("detection", "recovery")
    assert (
        begun.key == "group_gaps|bank|tone_score|dimension=origin,group=b,reference=a" == ended.key
    )
    assert begun.baseline is not None
    assert begun.value > begun.baseline + 0.02
    assert "the difference is +0." in begun.cause
    assert begun.exemplars


def test_prompts_of_a_group_that_score_as_more_harmful_are_told() -> None:
    """By the guard ``harm``, where a policy lists it."""
    (gap,) = told(GroupGaps(), served({"a": 0.0, "b": 0.0}, 1500, harm=0.3))
    assert gap.metric == "harm_score"
    assert gap.value == pytest.approx(0.3)


def test_means_are_stated() -> None:
    """Of each guard and group, once there are some."""
    stated = values(GroupGaps(), served({"a": 0.5, "b": 0.5}, 1000))
    assert {(one.metric, one.segment["group"]) for one in stated} == {
        ("tone_score", "a"), ("tone_score", "b"), ("harm_score", "a"), ("harm_score", "b"),
    }  # fmt: skip
    assert all(one.samples >= 100 for one in stated)


def test_texts_that_were_not_scanned_or_have_no_group_count_for_nothing() -> None:
    """Nobody is asked which group they belong to."""
    stream = Stream("bank")
    lost = verdict("harm", Outcome.NOT_SCANNED)
    observations = [
        *(stream.scanned(f"r{n}", [scored("harm", 0.9)]) for n in range(300)),
        *(stream.scanned(f"s{n}", [lost], metadata={"group.age": "old"}) for n in range(300)),
        stream.after(60).tick(),
    ]
    assert values(GroupGaps(), observations) == []


def test_any_number_of_groups_and_unanswered_requests_is_kept_in_bounded_memory() -> None:
    """What is beyond the bounds is counted together or not at all."""
    monitor, stream = GroupGaps(), Stream("bank")
    for number in range(3000):
        metadata = {f"group.d{number % 9}": f"g{number % 91}", "group.x": "x" * 5000}
        metadata |= {"group.y" * 50: "long"}
        monitor.observe(stream.scanned(f"{number:036}", [scored("harm", 0.2)], metadata=metadata))
    assert len(orjson.dumps(monitor.snapshot())) < 100_000
