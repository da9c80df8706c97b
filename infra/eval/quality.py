"""How well the quality of a model is estimated without labels, when what it is asked shifts."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel

from infra.eval.intent_model import IntentModel, fit_intents
from infra.eval.intervals import wilson
from infra.eval.rows import read_rows
from infra.eval.split import half
from monitors.quality import Calibration, EstimatedQuality, fit_calibration

FILES = ("banking77.jsonl", "clinc150.jsonl")
OUT = "oos"
EVENTS = 1000
LABELS = (50, 200)
_DRAWS = 2000
_TRAINED = 6
"""Tenths of the fitting half that the classifier sees; the rest is the reference."""


class Row(BaseModel):
    """A question and its intent."""

    text: str
    label: str


@dataclass(frozen=True)
class Asked:
    """The questions of one stream, and their intents; of none that the model knows, ``oos``."""

    texts: list[str]
    intents: list[str]


@dataclass(frozen=True)
class _Source:
    """Questions to draw streams from, and texts about something else."""

    rows: Sequence[Row]
    foreign: Sequence[str]


@dataclass(frozen=True)
class _Subject:
    """A classifier with its calibration and how often it was right on the reference."""

    model: IntentModel
    calibration: Calibration
    accuracy: float

    def answers(self, asked: Asked) -> tuple[list[float], list[bool]]:
        """Return how sure the model is of each answer, and whether it is right."""
        said, confidences = self.model.classify(asked.texts)
        return confidences, [a == b for a, b in zip(said, asked.intents, strict=True)]


def evaluate(data: Path, streams: int = 20) -> dict[str, Any]:
    """Return how far estimates of a classifier's accuracy lie from the truth, by planted shift.

    Classifier and calibration are of one half of each file, the streams of the other.

    Args:
        data: A folder with :data:`FILES`.
        streams: Of each file, shift and strength; 1,000 questions each.

    Raises:
        ConfigError: If a file cannot be used.
    """
    rows = {name: read_rows(data / name, Row) for name in FILES}
    errors: dict[str, list[dict[str, float]]] = defaultdict(list)
    subjects = {}
    for index, name in enumerate(FILES):
        known = [row for row in rows[name] if row.label != OUT]
        foreign = [row.text for row in rows[FILES[1 - index]]]
        subject, counts = _subject([row for row in known if half(row.text) == "fit"])
        source = _Source([row for row in known if half(row.text) == "report"], foreign)
        subjects[name] = counts | {
            "n_asked": len(source.rows),
            "reference_accuracy": round(subject.accuracy, 4),
            "spread": round(subject.calibration.spread, 4),
        }
        for number, (shift, draw, strength) in enumerate(_SHIFTS):
            for rng in np.random.default_rng([index, number]).spawn(streams):
                errors[shift].append(_judged(subject, draw(source, strength, rng), rng))
    whole = [error for found in errors.values() for error in found]
    return {
        "task": "quality",
        "streams": len(whole),
        "events": EVENTS,
        "classifiers": subjects,
        "all": _summary(whole),
        "shifts": {shift: _summary(found) for shift, found in errors.items()},
    }


def _subject(rows: Sequence[Row]) -> tuple[_Subject, dict[str, int]]:
    """Return a classifier of some of the rows, calibrated on the others."""
    trained = [row for row in rows if sha256(row.text.encode()).digest()[1] % 10 < _TRAINED]
    held = [row for row in rows if sha256(row.text.encode()).digest()[1] % 10 >= _TRAINED]
    model = fit_intents([row.text for row in trained], [row.label for row in trained])
    said, confidences = model.classify([row.text for row in held])
    groups = [row.label for row in held]
    right = [a == b for a, b in zip(said, groups, strict=True)]
    subject = _Subject(
        model, fit_calibration(confidences, right, groups), sum(right) / max(1, len(right))
    )
    return subject, {"n_trained": len(trained), "n_reference": len(held)}


def _drawn(rows: Sequence[Row], rng: np.random.Generator) -> Asked:
    """Draw questions as they come."""
    taken = [rows[index] for index in rng.integers(0, len(rows), EVENTS)]
    return Asked([row.text for row in taken], [row.label for row in taken])


def _same(source: _Source, strength: float, rng: np.random.Generator) -> Asked:
    """Change nothing."""
    return _drawn(source.rows, rng)


def _mixed(source: _Source, evenness: float, rng: np.random.Generator) -> Asked:
    """Draw intents by shares of their own, which a small ``evenness`` gives to a few."""
    many = Counter(row.label for row in source.rows)
    names = sorted(many)
    shares = dict(zip(names, rng.dirichlet(np.full(len(names), evenness)), strict=True))
    chances = np.array([shares[row.label] / many[row.label] for row in source.rows])
    chosen = rng.choice(len(source.rows), EVENTS, p=chances / chances.sum())
    taken = [source.rows[index] for index in chosen]
    return Asked([row.text for row in taken], [row.label for row in taken])


def _longer(source: _Source, extra: float, rng: np.random.Generator) -> Asked:
    """Put the beginnings of ``extra`` texts about other things behind each text."""
    asked, foreign = _drawn(source.rows, rng), source.foreign
    texts = []
    for text in asked.texts:
        more = [foreign[index].split()[:8] for index in rng.integers(0, len(foreign), int(extra))]
        texts.append(" ".join([text, *(word for words in more for word in words)]))
    return Asked(texts, asked.intents)


def _noisy(source: _Source, share: float, rng: np.random.Generator) -> Asked:
    """Drop, replace or add ``share`` of the characters."""

    def typed(character: str, luck: float, letter: str) -> str:
        if luck >= share:
            return character
        return ("", letter, character + letter)[int(3 * luck / share)]

    asked = _drawn(source.rows, rng)
    texts = [
        "".join(
            typed(character, luck, chr(97 + letter))
            for character, luck, letter in zip(
                text, rng.random(len(text)), rng.integers(0, 26, len(text)), strict=True
            )
        )
        for text in asked.texts
    ]
    return Asked(texts, asked.intents)


def _strayed(source: _Source, share: float, rng: np.random.Generator) -> Asked:
    """Ask about something else altogether, ``share`` of the time; no answer to that is right."""
    asked, foreign = _drawn(source.rows, rng), source.foreign
    strays = rng.random(EVENTS) < share
    others = rng.integers(0, len(foreign), EVENTS)
    return Asked(
        [foreign[o] if s else t for t, s, o in zip(asked.texts, strays, others, strict=True)],
        [OUT if s else i for i, s in zip(asked.intents, strays, strict=True)],
    )


_SHIFTS: tuple[tuple[str, Callable[[_Source, float, np.random.Generator], Asked], float], ...] = (
    ("none", _same, 0.0),
    *(("other intents", _mixed, evenness) for evenness in (0.3, 0.1, 0.03)),
    *(("longer texts", _longer, extra) for extra in (1.0, 2.0)),
    *(("typing errors", _noisy, share) for share in (0.03, 0.08, 0.15)),
    *(("unknown intents", _strayed, share) for share in (0.1, 0.3)),
)
"""What may happen to a stream: nothing, and each shift in several strengths."""


def _judged(subject: _Subject, asked: Asked, rng: np.random.Generator) -> dict[str, float]:
    """Return the error of each way to know the accuracy of one stream, and if intervals held."""
    confidences, right = subject.answers(asked)
    truth = sum(right) / len(right)
    quality = EstimatedQuality(subject.calibration)
    for confidence in confidences:
        quality.observe(confidence)
    estimate = quality.estimate()
    low, high = estimate.interval
    found = {
        "no_change": abs(subject.accuracy - truth),
        "estimated": abs(estimate.value - truth),
        "held": float(low <= truth <= high),
        "width": high - low,
    }
    labelled = rng.permutation(EVENTS)[: max(LABELS)]
    for count, index in enumerate(labelled, 1):
        quality.label(confidences[index], right[index])
        if count in LABELS:
            low, high = quality.estimate().interval
            alone = sum(right[one] for one in labelled[:count]) / count
            found[f"estimated_{count}_labels"] = abs(quality.estimate().value - truth)
            found[f"labels_alone_{count}"] = abs(alone - truth)
            found[f"held_{count}_labels"] = float(low <= truth <= high)
    return found


def _summary(found: Sequence[dict[str, float]]) -> dict[str, Any]:
    """Return mean absolute errors with intervals over streams, and how often intervals held."""
    ways = [name for name in found[0] if not name.startswith(("held", "width"))]
    held = {name: int(sum(one[name] for one in found)) for name in found[0] if "held" in name}
    return {
        "streams": len(found),
        "mean_absolute_error": {way: _mean([one[way] for one in found]) for way in ways},
        "interval_held": {
            name: {"rate": round(hits / len(found), 4), "ci95": wilson(hits, len(found))}
            for name, hits in held.items()
        },
        "interval_width": round(float(np.mean([one["width"] for one in found])), 4),
    }


def _mean(values: Sequence[float]) -> dict[str, Any]:
    drawn = np.random.default_rng(0).integers(0, len(values), (_DRAWS, len(values)))
    low, high = np.quantile(np.array(values)[drawn].mean(axis=1), [0.025, 0.975])
    return {
        "mean": round(float(np.mean(values)), 4),
        "ci95": (round(float(low), 4), round(float(high), 4)),
    }
