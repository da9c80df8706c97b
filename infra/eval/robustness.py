"""How much of what a learned guard finds it still finds when somebody tries to deceive it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from random import Random
from statistics import fmean
from typing import Any

from infra.eval.intervals import wilson
from infra.robustness.features import METHODS, attack, require_toolbox
from infra.robustness.sample import Sample
from infra.robustness.target import Part, Target
from infra.robustness.targets import TARGETS
from infra.robustness.texts import CHANGES, TRIES, Kind, Outcome, search, try_at_random
from schemas.base import event_id
from schemas.errors import ConfigError
from schemas.evaluations import GuardAttacked

FEATURE_SAMPLES = 60
"""Texts whose features are moved; each takes thousands of readings."""
SEARCHED_SAMPLES = 100


@dataclass(frozen=True)
class Figures:
    """What is left of a guard's recall under one attack.

    Args:
        attack: The attack's name.
        kind: What it works on.
        samples: Texts that the guard has to find.
        found_unattacked: How many it finds as they are.
        found: How many it finds under the attack, however often the attacker tries.
        found_at_once: How many it finds when the attacker tries once.
        queries: Readings that the attacker asks for, a text, on average.
        epsilon: The bound within which features are moved; None where texts are changed.
    """

    attack: str
    kind: Kind
    samples: int
    found_unattacked: int
    found: int
    found_at_once: int
    queries: float
    epsilon: float | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the figures with their intervals."""
        evaded = self.found_unattacked - self.found
        figures: dict[str, Any] = {
            "kind": self.kind,
            "n": self.samples,
            "recall_unattacked": round(self.found_unattacked / self.samples, 4),
            "recall": round(self.found / self.samples, 4),
            "ci95": wilson(self.found, self.samples),
            "recall_at_one_try": round(self.found_at_once / self.samples, 4),
            "success_rate": round(evaded / max(1, self.found_unattacked), 4),
            "success_ci95": wilson(evaded, self.found_unattacked),
            "queries": round(self.queries, 1),
        }
        return figures if self.epsilon is None else {**figures, "epsilon": self.epsilon}


@dataclass(frozen=True)
class Robustness:
    """What came of attacking one version of a guard.

    Args:
        guard: The guard.
        version: Its version.
        threshold: The score from which it speaks.
        data: What tells the texts that it was attacked with from others.
        part: The part of the data they are from.
        unattacked: Its recall on them as they are.
        attacks: Its recall under each attack.
    """

    guard: str
    version: str
    threshold: float
    data: str
    part: str
    unattacked: Figures
    attacks: tuple[Figures, ...]

    def events(self, at: datetime) -> list[GuardAttacked]:
        """Return the figures as events of the time ``at``."""
        return [
            GuardAttacked(
                event_id=event_id("attacked", self.guard, self.version, one.attack, self.data),
                occurred_at=at,
                guard=self.guard,
                guard_version=self.version,
                attack=one.attack,
                kind=one.kind,
                data_version=self.data,
                threshold=self.threshold,
                samples=one.samples,
                found_unattacked=one.found_unattacked,
                found=one.found,
                queries=one.queries,
                epsilon=one.epsilon,
            )
            for one in (self.unattacked, *self.attacks)
        ]

    def as_json(self) -> dict[str, Any]:
        """Return one object for people and programs."""
        return {
            "task": "robustness",
            "guard": self.guard,
            "version": self.version,
            "threshold": self.threshold,
            "data": self.data,
            "part": self.part,
            "n": self.unattacked.samples,
            "recall": round(self.unattacked.found / self.unattacked.samples, 4),
            "ci95": wilson(self.unattacked.found, self.unattacked.samples),
            "tries": TRIES,
            "attacks": {figures.attack: figures.as_json() for figures in self.attacks},
        }


def evaluate(
    guard: str, data: Path | None, part: Part, most: int, texts_only: bool, seed: int = 0
) -> Robustness:
    """Attack the learned guard called ``guard`` and return what it still finds.

    The same data, guard and seed give the same figures.

    Args:
        guard: One of :data:`infra.robustness.targets.TARGETS`.
        data: Rows of the shape that the guard's evaluation reads; texts of our own if None.
        part: ``fit`` or ``report``, one half of the data by a fixed hash, or ``all``.
        most: How many texts to attack.
        texts_only: Whether features are left alone.
        seed: Which texts, and what the attacker tries.

    Raises:
        ConfigError: If there is no such guard, the data cannot be used, or features are to be moved
            and the toolbox that does it is missing.
    """
    if guard not in TARGETS:
        known = ", ".join(TARGETS)
        raise ConfigError(f"no learned guard {guard!r}; there are: {known}", key="--guard")
    if not texts_only:
        require_toolbox()
    target = TARGETS[guard](data, part)
    if not target.samples:
        raise ConfigError(f"holds no text that {guard} has to find", file=str(data))
    rng = Random(f"robustness {seed}")
    samples = rng.sample(target.samples, min(most, len(target.samples)))
    found = [score >= target.threshold for score in target.scores(samples)]
    attacks = _on_texts(target, samples, found, rng)
    if not texts_only:
        attacks += _on_features(target, samples[:FEATURE_SAMPLES])
    read = "\0".join(sample.text for sample in samples)
    return Robustness(
        guard=guard,
        version=target.version,
        threshold=target.threshold,
        data=sha256(read.encode("utf-8", "replace")).hexdigest()[:12],
        part=part,
        unattacked=Figures("none", "none", len(samples), sum(found), sum(found), sum(found), 1.0),
        attacks=tuple(attacks),
    )


def _on_texts(
    target: Target, samples: Sequence[Sample], found: Sequence[bool], rng: Random
) -> list[Figures]:
    caught = [sample for sample, is_found in zip(samples, found, strict=True) if is_found]
    figures = []
    for change in CHANGES:
        outcomes = try_at_random(change, caught, target.scores, target.threshold, rng)
        figures.append(_figures(change.name, change.kind, len(samples), outcomes))
    some = found[:SEARCHED_SAMPLES]
    outcomes = [
        search(sample, target.scores, target.threshold, rng)
        for sample, is_found in zip(samples, some, strict=False)
        if is_found
    ]
    return [*figures, _figures("word-by-word", "search", len(some), outcomes)]


def _on_features(target: Target, samples: Sequence[Sample]) -> list[Figures]:
    surfaces = [
        surface for surface in map(target.surface, samples) if surface.speaks(surface.start)
    ]
    return [
        _figures(f"{method}-{epsilon}", "features", len(samples), outcomes, epsilon)
        for method in METHODS
        for epsilon, outcomes in attack(surfaces, method, target.epsilons).items()
    ]


def _figures(
    name: str, kind: Kind, samples: int, outcomes: Sequence[Outcome], epsilon: float | None = None
) -> Figures:
    caught = len(outcomes)
    return Figures(
        attack=name,
        kind=kind,
        samples=samples,
        found_unattacked=caught,
        found=caught - sum(outcome.evaded for outcome in outcomes),
        found_at_once=caught - sum(outcome.evaded_at_once for outcome in outcomes),
        queries=fmean(outcome.queries for outcome in outcomes) if outcomes else 0.0,
        epsilon=epsilon,
    )
