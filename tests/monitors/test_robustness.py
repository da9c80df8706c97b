"""Versions of guards that stand up less well to attacks."""

from __future__ import annotations

from monitors.robustness import KEYS_MAX, Robustness, fell
from tests.monitors.observations import Stream
from tests.monitors.watching import told, values


def test_a_version_that_finds_less_is_told() -> None:
    """The finding names guard, attack, both versions and both recalls."""
    stream = Stream()
    seen = [stream.attacked("1", found=180), stream.attacked("2", found=120)]
    (only,) = told(Robustness(), seen)
    assert only.kind == "detection"
    assert only.segment == {"guard": "injection", "attack": "swap"}
    assert (only.value, only.baseline, only.samples) == (0.6, 0.9, 200)
    assert "worse than version 1 with 90 %" in only.cause


def test_chance_is_no_fall() -> None:
    """What the same guard might find of other texts as well is not told."""
    stream = Stream()
    seen = [stream.attacked(str(version), 180 - 4 * (version % 2)) for version in range(20)]
    assert told(Robustness(), seen) == []


def test_a_slow_decline_is_told() -> None:
    """Each version is held against the last good one while it is behind, not against a bad one."""
    stream = Stream()
    seen = [stream.attacked("1", 180), stream.attacked("2", 120), stream.attacked("3", 118)]
    assert [one.kind for one in told(Robustness(), seen)] == ["detection"]


def test_a_better_version_recovers() -> None:
    """It is told once, and then the new version is the measure."""
    stream = Stream()
    found = [180, 120, 176, 175]
    seen = [stream.attacked(str(version), many) for version, many in enumerate(found)]
    assert [one.kind for one in told(Robustness(), seen)] == ["detection", "recovery"]


def test_going_back_to_the_good_version_recovers() -> None:
    """A rollback ends what the rollout began."""
    stream = Stream()
    seen = [stream.attacked("1", 180), stream.attacked("2", 120), stream.attacked("1", 180)]
    assert [one.kind for one in told(Robustness(), seen)] == ["detection", "recovery"]


def test_attacks_are_compared_each_with_itself() -> None:
    """A guard may be weaker against one attack than against another."""
    stream = Stream()
    seen = [stream.attacked("1", 180), stream.attacked("2", 60, attack="spacing")]
    monitor = Robustness()
    assert told(monitor, seen) == []
    assert [one.value for one in values(Robustness(), seen)] == [0.9, 0.3]


def test_memory_is_bounded() -> None:
    """Of very many attacks, those heard of longest ago are forgotten."""
    stream = Stream()
    monitor = Robustness()
    told(monitor, [stream.attacked("1", 180, attack=f"a{n}") for n in range(2 * KEYS_MAX)])
    assert told(monitor, [stream.attacked("2", 20, attack="a0")]) == []
    (found,) = told(monitor, [stream.attacked("2", 20, attack=f"a{2 * KEYS_MAX - 1}")])
    assert found.kind == "detection"


def test_few_texts_prove_little() -> None:
    """The interval follows from how many there are."""
    assert not fell(9, 10, 6, 10)
    assert fell(900, 1000, 600, 1000)
