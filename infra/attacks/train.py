"""Make the guard against injection that ships: examples, fit, threshold, and the card."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from random import Random

import numpy as np
import numpy.typing as npt

from infra.attacks.background import buried, encoded, neutral, shuffled
from infra.attacks.corpus import Example, ordinary, spoken
from infra.attacks.fitting import fit
from monitors.attack_features import tokens
from monitors.attack_model import AttackModel, Floats, reading, words_of
from monitors.injection import Injection, told
from monitors.patterns import Pack
from monitors.text import Text

FLAGGED_RATE = 0.03
"""The share of harmless texts of unseen kinds at which the guard may speak."""

_SPOKEN, _ORDINARY, _NEUTRAL, _BURIED, _SHUFFLED, _ENCODED = 4000, 4000, 3000, 3000, 1000, 800
_FOLDS = 3
_KEPT_TEXTS, _KEPT_SOURCES = 20, 4
_GIVEN_WEIGHT = 3.0
_NEWTON_STEPS = 25

Folds = npt.NDArray[np.int_]
Scores = npt.NDArray[np.float64]

_PACK = Pack((Injection(),))


def written(seed: int = 0) -> list[Example]:
    """Return the examples that were written for Tidegate, the same for the same seed."""
    rng = Random(f"written {seed}")
    attacks = list(spoken(seed, _SPOKEN))
    return [
        *attacks,
        *ordinary(seed, _ORDINARY),
        *(neutral(rng) for _ in range(_NEUTRAL)),
        *(example for _ in range(_BURIED) for example in buried(rng)),
        *(encoded(rng.choice(attacks), rng) for _ in range(_ENCODED)),
        *(shuffled(one, rng) for one in rng.sample(attacks, _SHUFFLED)),
    ]


class Examples:
    """Examples read once, of which models can be fitted on any part.

    Args:
        examples: Written ones and given ones.
    """

    def __init__(self, examples: Sequence[Example]) -> None:
        self.examples = examples
        self.kept = _kept([one for one in examples if one.template])
        self.readings = []
        for example in examples:
            text = Text(example.text)
            signs, _ = told(text, _PACK.hits(text).get(0, ()))
            (words,) = words_of([text], self.kept)
            self.readings.append(reading(text, words, signs))

    def model(self, chosen: Sequence[int], seed: int) -> AttackModel:
        """Return a model fitted on the ``chosen`` examples, with threshold and scale.

        The threshold is where the mean over kinds of harmless text, each scored by a model that
        saw no text of its template or source, of the share that is flagged is ``FLAGGED_RATE``.
        """
        folds, scores = self._held_out(chosen, seed)
        return replace(self._fitted(chosen, seed), scale=self._scale(chosen, folds, scores))

    def _held_out(self, chosen: Sequence[int], seed: int) -> tuple[Folds, Scores]:
        """Return the fold of each example, and its score by a model that did not see its fold."""
        folds, scores = self._folds(chosen), np.zeros(len(chosen))
        for fold in range(_FOLDS):
            part = self._fitted([chosen[place] for place in np.flatnonzero(folds != fold)], seed)
            for place in np.flatnonzero(folds == fold):
                scores[place] = part.score(self.readings[chosen[place]])
        return folds, scores

    def _fitted(self, chosen: Sequence[int], seed: int) -> AttackModel:
        patterns, style, bias = fit(
            [self.readings[number] for number in chosen],
            [self.examples[number].attack for number in chosen],
            [1.0 if self.examples[number].template else _GIVEN_WEIGHT for number in chosen],
            seed,
        )
        return AttackModel(self.kept, _halved(patterns), _halved(style), float(np.float32(bias)))

    def _folds(self, chosen: Sequence[int]) -> npt.NDArray[np.int_]:
        """Return which fold scores an example: whole sources and templates; -1 of neutral ones."""
        kinds = [
            self.examples[number].template or self.examples[number].source for number in chosen
        ]
        names = sorted(set(kinds))
        Random(0).shuffle(names)
        fold = {name: place % _FOLDS for place, name in enumerate(names)} | {"neutral": -1}
        return np.array([fold[kind] for kind in kinds])

    def _scale(self, chosen: Sequence[int], folds: Folds, scores: Scores) -> tuple[float, float]:
        """Return slope and offset: log odds of held-out scores, nought at the threshold."""
        judged = np.flatnonzero(folds >= 0)
        attack = np.array([self.examples[chosen[place]].attack for place in judged])
        harmless: defaultdict[str, list[float]] = defaultdict(list)
        for place in judged[~attack]:
            harmless[self.examples[chosen[place]].source].append(scores[place])
        of_kinds = [np.sort(kind) for kind in harmless.values()]
        levels = np.sort(np.concatenate(of_kinds))
        flagged = np.mean(
            [1 - np.searchsorted(kind, levels, "right") / len(kind) for kind in of_kinds], axis=0
        )
        threshold = float(levels[np.argmax(flagged <= FLAGGED_RATE)])
        slope = np.float32(_slope(scores[judged], attack))
        return float(slope), float(np.float32(-slope * threshold))


def _kept(examples: Sequence[Example]) -> frozenset[str]:
    """Return the words that many texts of several sources have: those of no topic."""
    texts: Counter[str] = Counter()
    sources: defaultdict[str, set[str]] = defaultdict(set)
    for example in examples:
        for word in set(tokens(Text(example.text).folded.text)):
            texts[word] += 1
            sources[word].add(example.source)
    return frozenset(
        word
        for word, count in texts.items()
        if count >= _KEPT_TEXTS and len(sources[word]) >= _KEPT_SOURCES
    )


def _slope(scores: Scores, attack: npt.NDArray[np.bool_]) -> float:
    """Return the slope of the logistic curve over ``scores``, both kinds counting the same."""
    rows = np.stack([scores, np.ones(len(scores))], axis=1)
    worth = np.where(attack, 0.5 / attack.mean(), 0.5 / (1 - attack.mean()))
    curve = np.zeros(2)
    for _ in range(_NEWTON_STEPS):
        chances = 1 / (1 + np.exp(-np.clip(rows @ curve, -30, 30)))
        gradient = rows.T @ (worth * (chances - attack))
        bend = (rows * (worth * np.maximum(chances * (1 - chances), 1e-6))[:, None]).T @ rows
        curve -= np.linalg.solve(bend, gradient)
    return float(curve[0])


def _halved(weights: Floats) -> Floats:
    """Return weights as they are when they come back from a file."""
    return weights.astype(np.float16).astype(np.float32)
