"""``tidegate eval robustness``."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import ClassVar

import numpy as np
import orjson
import pytest
import torch

from inference.bank import questions
from infra.eval.robustness import evaluate
from infra.robustness.answers import AnswersTarget
from infra.robustness.embedded import scope_target
from infra.robustness.features import METHODS, Method, Surface, attack, surface
from infra.robustness.injection import InjectionTarget
from infra.robustness.personal import PersonalTarget
from infra.robustness.sample import Sample, whole
from infra.robustness.target import Part
from infra.robustness.targets import TARGETS
from infra.robustness.texts import CHANGES
from schemas.errors import ConfigError

TOOLBOX = pytest.mark.skipif(
    importlib.util.find_spec("art") is None, reason="adversarial-robustness-toolbox is missing"
)
NOISE = pytest.mark.filterwarnings("ignore")  # of the toolbox's own imports


class Words:
    """A guard that adds up what words weigh."""

    guard = "words"
    version = "1"
    threshold = 0.5
    epsilons: tuple[float, ...] = (0.2, 0.8)
    weights: ClassVar[dict[str, float]] = {"steal": 0.4, "the": 0.05, "crown": 0.4}

    def __init__(self, data: Path | None, part: Part) -> None:
        self.samples = [whole("Steal the crown, dear all")] * 30
        self.samples += [whole("Take the crown away")] * 10

    def scores(self, samples: Sequence[Sample]) -> list[float]:
        """Return what the words of each text add up to."""
        return [
            sum(self.weights.get(word.strip(",").lower(), 0.0) for word in sample.text.split())
            for sample in samples
        ]

    def surface(self, sample: Sample) -> Surface:
        """Return a feature a word."""
        words = [word.strip(",").lower() for word in sample.text.split()]
        weights = torch.tensor([self.weights.get(word, 0.0) for word in words])
        shares = np.ones(len(words), np.float32)
        return surface(shares, lambda rows: rows @ weights - 0.5, np.zeros_like(shares), "inf")


@pytest.fixture
def words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the guard of these tests one that can be attacked."""
    monkeypatch.setitem(TARGETS, "words", Words)


@pytest.mark.usefixtures("words")
def test_every_attack_on_texts_is_reported() -> None:
    """Recall stands beside that without an attack, each with its interval."""
    found = evaluate("words", None, "all", 40, texts_only=True)
    report = found.as_json()
    assert (report["n"], report["recall"]) == (40, 0.75)
    assert set(report["attacks"]) == {*(change.name for change in CHANGES), "word-by-word"}
    for figures in report["attacks"].values():
        assert figures["recall"] <= figures["recall_at_one_try"] <= 0.75
        assert figures["ci95"][0] <= figures["recall"] <= figures["ci95"][1]
    assert report["attacks"]["before"]["recall"] == 0.75
    assert report["attacks"]["word-by-word"]["recall"] == 0.0
    assert found == evaluate("words", None, "all", 40, texts_only=True)


@pytest.mark.usefixtures("words")
def test_figures_become_events() -> None:
    """One an attack, and one for the guard as it is; the same figures have the same ids."""
    found = evaluate("words", None, "all", 40, texts_only=True)
    events = found.events(datetime(2026, 1, 1, tzinfo=UTC))
    assert [event.attack for event in events[:2]] == ["none", "homoglyphs"]
    assert len({event.event_id for event in events}) == len(CHANGES) + 2
    assert (events[0].samples, events[0].found, events[0].found_unattacked) == (40, 30, 30)
    later = found.events(datetime(2027, 1, 1, tzinfo=UTC))
    assert [event.event_id for event in later] == [event.event_id for event in events]


def test_a_guard_that_is_not_learned_is_refused() -> None:
    """Those that can be attacked are named."""
    with pytest.raises(ConfigError, match="personal"):
        evaluate("tone", None, "all", 10, texts_only=True)


@TOOLBOX
@NOISE
@pytest.mark.usefixtures("words")
def test_features_are_moved_within_their_bounds() -> None:
    """A little is not enough to be silent, much is, and each method finds out."""
    attacks = evaluate("words", None, "all", 8, texts_only=False).as_json()["attacks"]
    for method in METHODS:
        near, far = attacks[f"{method}-0.2"], attacks[f"{method}-0.8"]
        assert near["recall"] > far["recall"] == 0.0
        assert (near["epsilon"], far["epsilon"]) == (0.2, 0.8)
        assert far["queries"] >= 1


@TOOLBOX
@NOISE
@pytest.mark.parametrize("method", METHODS)
def test_lengths_bound_moves_too(method: Method) -> None:
    """In the norm 2, what counts is how far the whole point is moved."""
    start = np.array([0.3, 0.1, 0.0], np.float32)
    silent_at = np.array([-1.0, 0.1, 0.0], np.float32)
    line = surface(start, lambda rows: 8 * rows[:, 0], silent_at, 2)
    near, far = attack([line], method, (0.25, 0.5)).values()
    assert [near[0].evaded, far[0].evaded] == [False, True]


def test_names_are_sought_where_they_stand() -> None:
    """A name elsewhere in the text does not count, and a guard that is silent scores nothing."""
    target = PersonalTarget(None, "all")
    text = "My name is Ada Lovelace and I live in a house"
    assert target.scores([Sample(text, 11, 23), Sample(text, 28, 32)]) == [0.8, 0.0]


def test_the_model_of_names_agrees_with_its_surface() -> None:
    """It speaks of its features as they are, not of none; its log odds have the same sign."""
    seen = PersonalTarget(None, "all").surface(Sample("My name is Ada Lovelace.", 11, 23))
    assert seen.speaks(seen.start)
    assert not seen.speaks(np.zeros_like(seen.start))
    silent, speaks = seen.logits(torch.from_numpy(seen.start[None]))[0]
    assert speaks > silent


def test_own_texts_hold_what_must_be_found() -> None:
    """They come from the forms of one half, and differ between the halves."""
    fit, report = PersonalTarget(None, "fit").samples, PersonalTarget(None, "report").samples
    assert len(fit) > 200
    assert all(sample.parts[1] for sample in fit)
    assert not {sample.text for sample in fit} & {sample.text for sample in report}


@pytest.mark.engine
def test_the_scope_agrees_with_its_surface(tmp_path: Path) -> None:
    """A question to somebody else is flagged, and so is its embedding; the bank's are not."""
    asked = [one.text for one in islice(questions(3), 40)]
    rows = [{"text": text, "label": "bank", "split": "train"} for text in asked]
    rows.append({"text": "What is the best way to repot a cactus?", "label": "oos", "split": ""})
    data = tmp_path / "rows.jsonl"
    data.write_bytes(b"\n".join(map(orjson.dumps, rows)))
    target = scope_target(data, "all")
    texts = [*target.samples, whole(asked[7])]
    seen = [target.surface(sample) for sample in texts]
    assert [score >= target.threshold for score in target.scores(texts)] == [True, False]
    assert [one.speaks(one.start) for one in seen] == [True, False]
    assert not seen[0].speaks(seen[0].silent_at)


def test_the_model_of_injections_agrees_with_its_surface() -> None:
    """It speaks where the guard does, of texts long and short."""
    target = InjectionTarget(None, "all")
    samples = [*target.samples[::40], whole("How do I order a new card?"), whole("")]
    spoken = [score >= target.threshold for score in target.scores(samples)]
    seen = [target.surface(sample) for sample in samples]
    assert [one.speaks(one.start) for one in seen] == spoken
    assert {True, False} <= set(spoken)


def test_the_model_of_answers_agrees_with_its_surface(tmp_path: Path) -> None:
    """Shares of 1 give the guard's own score; what describes the question cannot be moved."""
    rows = [
        {"query": "Who was first?", "response": "It was Jo Li in 1872, I think.", "label": "yes"},
        {"query": "Name a colour", "response": "Blue.", "label": "yes"},
        {"query": "Name a tree", "response": "Oak.", "label": "no"},
    ]
    data = tmp_path / "rows.jsonl"
    data.write_bytes(b"\n".join(map(orjson.dumps, rows)))
    target = AnswersTarget(data, "all")
    assert [sample.text for sample in target.samples] == [row["response"] for row in rows[:2]]
    for sample, score in zip(target.samples, target.scores(target.samples), strict=True):
        seen = target.surface(sample)
        silent, speaks = seen.logits(torch.from_numpy(seen.start[None]))[0].tolist()
        odds = math.log(score / (1 - score)) - math.log(target.threshold / (1 - target.threshold))
        assert speaks - silent == pytest.approx(odds, abs=1e-3)


def test_data_is_asked_for_where_there_is_none_of_our_own() -> None:
    """The option that is missing is named."""
    with pytest.raises(ConfigError, match="--data"):
        AnswersTarget(None, "all")
