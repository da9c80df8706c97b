"""Texts that are about other things than they were: told with topics, not told without drift."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
import orjson
import pytest

from monitors.embedding_drift import EmbeddingShift
from monitors.watch import Watch
from schemas.codec import encode
from schemas.verdicts import Direction
from schemas.watching import Finding, Observation
from tests.monitors.drift.places import TOPICS, sticky, texts, usual
from tests.monitors.observations import Stream
from tests.monitors.watching import handed_over

WARMUP = 400
SNAPSHOT_MAX_BYTES = 8_000
Numbers = npt.NDArray[np.intp]


def monitor() -> EmbeddingShift:
    """Return one that learns from few texts and is content with few in between."""
    return EmbeddingShift(warmup=WARMUP, arl=500, quiet=1e6)


def embedded(
    stream: Stream,
    topics: Numbers,
    seed: int,
    direction: Direction = Direction.PROMPT,
    version: str = "1",
) -> list[Observation]:
    """Return texts about topics of these numbers, five a second, each its own conversation."""
    assert direction is not Direction.PASSAGE
    return [
        stream.after(0.2).embedded(
            f"{seed}-{number}", vector, direction, topic=f"t{topic}", version=version
        )
        for number, (topic, vector) in enumerate(
            zip(topics.tolist(), texts(topics, seed), strict=True)
        )
    ]


def said(watching: EmbeddingShift, observations: Iterable[Observation]) -> list[Finding]:
    """Return all that is said."""
    return [finding for one in observations for finding in watching.observe(one)]


def kinds(findings: Sequence[Finding], metric: str = "embedding_drift") -> list[str]:
    """Return what is said about a metric, by kind."""
    return [finding.kind for finding in findings if finding.metric == metric]


def shifted(many: int, seed: int, to: int = 3) -> Numbers:
    """Return topics of which four in ten are the same one."""
    topics = usual(many, seed)
    topics[np.random.default_rng(seed).random(many) < 0.4] = to
    return topics


def test_a_reference_is_announced_once_it_is_known() -> None:
    """It says its number, of which texts it is, and what cannot be promised of it."""
    stream, watching = Stream(), EmbeddingShift(warmup=WARMUP, arl=2000)
    (told,) = said(watching, embedded(stream, usual(WARMUP, 1), 1))
    assert (told.metric, told.kind, told.value, told.samples) == ("reference", "value", 1, WARMUP)
    assert told.segment == {"series": "prompt_embedding"}
    assert told.since_at is not None
    assert told.since_at < told.occurred_at
    assert "the first 400 of version 1 by minilm/48" in told.cause
    assert "cannot be promised: 400 events are too few" in told.cause


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_same_mix_raises_nothing(seed: int) -> None:
    """Over ten run lengths of single alarms there is no finding but levels, shares and costs."""
    stream, watching = Stream(), monitor()
    findings = said(watching, embedded(stream, usual(WARMUP + 5000, seed), seed))
    assert {finding.metric for finding in findings} == {"reference"}
    (level, share, cost) = said(watching, [stream.after(31).tick()])
    assert (level.metric, level.limit, level.samples) == ("drift_level", 1, 5000)
    assert (share.metric, share.value) == ("embedded_share", 0.5)
    assert (cost.metric, cost.value, cost.samples) == ("embedding_ms", 8, WARMUP + 5000)


def test_a_topic_that_grows_is_told_with_its_name_and_ends() -> None:
    """The detection names topic, beginning and requests, becomes surer, and is over afterwards."""
    stream, watching = Stream(), monitor()
    before = embedded(stream, usual(WARMUP + 600, 4), 4)
    began_at = stream.now
    findings = said(watching, before + embedded(stream, shifted(300, 5), 5))
    told = [finding for finding in findings if finding.metric == "embedding_drift"]
    assert told[0].kind == "detection"
    assert {finding.kind for finding in told[1:]} == {"value"}
    assert "prompts are in another mix than in reference 1" in told[0].cause
    assert "grown: t3" in told[0].cause
    assert told[0].since_at is not None
    assert told[0].since_at > began_at
    assert all(request.startswith("5-") for request in told[0].exemplars)
    evidence = [finding.e_value for finding in told if finding.e_value is not None]
    assert evidence == sorted(evidence)
    assert len(evidence) == len(told)
    assert kinds(said(watching, embedded(stream, usual(3000, 6), 6))) == ["recovery"]


def test_texts_unlike_any_are_told_as_such() -> None:
    """What the reference never had is told within few texts, of answers alone."""
    stream, watching = Stream(), monitor()
    findings = said(watching, embedded(stream, usual(WARMUP, 7), 7, Direction.ANSWER))
    findings += said(watching, embedded(stream, usual(40, 8) + TOPICS, 8, Direction.ANSWER))
    first = next(finding for finding in findings if finding.kind == "detection")
    assert first.segment == {"series": "answer_embedding"}
    assert "answers are unlike any in reference 1" in first.cause
    assert first.samples < 30


def test_a_version_that_takes_over_begins_a_new_reference() -> None:
    """The old one ends and with it what was told; a version of a part of the traffic ends none."""
    stream, watching = Stream(), monitor()
    said(watching, embedded(stream, usual(WARMUP, 9), 9))
    mixed = embedded(stream, shifted(200, 10), 10)
    canary = embedded(stream, usual(200, 11), 11, version="2")
    findings = said(watching, [one for pair in zip(mixed, canary, strict=True) for one in pair])
    assert kinds(findings)[0] == "detection"
    assert kinds(findings, "reference_ended") == []
    findings = said(watching, embedded(stream, usual(WARMUP + 40, 12), 12, version="2"))
    assert kinds(findings) == ["recovery"]
    ended, begun = (f for f in findings if f.metric.startswith("reference"))
    assert (ended.metric, ended.value, begun.metric, begun.value) == (
        "reference_ended",
        1,
        "reference",
        2,
    )
    assert "ended: version 2 by minilm/48" in ended.cause
    assert "because: version 2 by minilm/48" in begun.cause


def test_a_person_can_begin_a_new_reference() -> None:
    """What was told against the old one ends; the new one says who wanted it, and why."""
    stream, watching = Stream(), monitor()
    for direction in (Direction.PROMPT, Direction.ANSWER):
        said(watching, embedded(stream, usual(WARMUP, 13), 13, direction))
    assert kinds(said(watching, embedded(stream, shifted(200, 14), 14)))[0] == "detection"
    findings = said(watching, [stream.reset("prompt_embedding")])
    assert [(f.metric, f.kind) for f in findings] == [
        ("reference_ended", "value"),
        ("embedding_drift", "recovery"),
    ]
    findings = said(watching, embedded(stream, shifted(WARMUP + 600, 15), 15))
    assert kinds(findings) == []
    (begun,) = (finding for finding in findings if finding.metric == "reference")
    assert begun.value == 2
    assert "because: reset by ada: a new season" in begun.cause
    assert said(watching, [stream.reset("topic")]) == []
    assert len(said(watching, [stream.reset()])) == 2


def test_what_cannot_be_promised_raises_nothing() -> None:
    """Where texts hang together there are levels with the reason, and no finding."""
    stream, watching = Stream(), monitor()
    findings = said(watching, embedded(stream, sticky(WARMUP, 16), 16))
    findings += said(watching, embedded(stream, shifted(300, 17), 17))
    assert kinds(findings) == []
    level, *_ = said(watching, [stream.after(31).tick()])
    assert level.value > 1
    assert "cannot be promised: events depend on the one before" in level.cause


def test_a_conversation_counts_once_and_what_is_no_vector_never() -> None:
    """Later texts of a conversation do not make a reference; nor do letters that mean nothing."""
    stream, watching = Stream(), monitor()
    rows = texts(usual(WARMUP + 10, 18), 18)
    talk = [stream.after(1).embedded(f"r{n}", v, conversation_id="c") for n, v in enumerate(rows)]
    assert said(watching, talk) == []
    broken = []
    for one in embedded(stream, usual(WARMUP + 10, 19), 19):
        assert one.embedded is not None
        wrong = one.embedded.model_copy(update={"vector": "AAAAA"})
        broken.append(one.model_copy(update={"embedded": wrong}))
    assert said(watching, broken) == []


def everything(stream: Stream) -> list[Observation]:
    """Return a stream with a reference, drift, its end, a reset and the next reference."""
    parts = [usual(WARMUP + 100, 20), shifted(150, 21), usual(1500, 22)]
    observations = [one for n, part in enumerate(parts) for one in embedded(stream, part, 20 + n)]
    return [
        *observations,
        stream.after(31).tick(),
        stream.reset(),
        *embedded(stream, usual(WARMUP + 50, 23), 23),
    ]


@pytest.mark.parametrize("every", [7, 101])
def test_a_restart_at_any_place_changes_nothing(every: int) -> None:
    """Also while it learns; state and what was learned go through JSON."""
    observations = everything(Stream())
    whole = Watch("bank", [monitor()])
    expected = [encode(finding) for one in observations for finding in whole.observe(one)]
    watch, found = Watch("bank", [monitor()]), []
    for number, one in enumerate(observations):
        if number % every == 0:
            watch = handed_over(watch, Watch("bank", [monitor()]))
        found += [encode(finding) for finding in watch.observe(one)]
    assert found == expected
    assert len(expected) > 5


def test_what_was_learned_is_no_part_of_the_state() -> None:
    """Snapshots stay small, and a part that is named never changes."""
    watch, largest = Watch("bank", [monitor()]), 0
    seen: dict[str, bytes] = {}
    for one in everything(Stream()):
        watch.observe(one)
        shelf = watch.snapshot()["monitors"]
        assert isinstance(shelf, dict)
        largest = max(largest, len(orjson.dumps(shelf["embedding_drift"])))
        for name, part in watch.learned().items():
            if name not in seen:
                seen[name] = orjson.dumps(part())
    assert all(orjson.dumps(part()) == seen[name] for name, part in watch.learned().items())
    assert sorted(watch.learned()) == ["embedding_drift-1/prompt_embedding/2/reference"]
    assert largest < SNAPSHOT_MAX_BYTES


def test_where_a_part_is_lost_it_learns_anew() -> None:
    """A snapshot without what was learned is no reason to stop."""
    stream, watching, successor = Stream(), monitor(), monitor()
    said(watching, embedded(stream, usual(WARMUP, 24), 24))
    successor.restore(watching.snapshot())
    (begun,) = said(successor, embedded(stream, usual(WARMUP, 25), 25))
    assert (begun.metric, begun.value) == ("reference", 2)
    assert "what was learned before is lost" in begun.cause
