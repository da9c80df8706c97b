"""The guard for names and addresses, attacked."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from itertools import islice
from pathlib import Path

import numpy as np
import torch

from infra.eval.pii import TYPES, Row
from infra.eval.rows import read_rows
from infra.eval.split import half
from infra.pii.sentences import sentences
from infra.robustness.features import Floats, Odds, Surface
from infra.robustness.sample import Sample
from infra.robustness.target import Part
from monitors.personal import Personal
from monitors.pii_tagger import TAGS, Tagger, shipped_tagger
from monitors.pii_words import TOKEN, features

_OWN = 2000
_SEED = 7
_SOUGHT = ("PERSON", "ADDRESS")


class PersonalTarget:
    """One name or address a text; it is found when a span that the guard masks overlaps it.

    Its features are the hashed traits of each word, which may count for more or less; the log odds
    are the field's marginals, and whether the guard speaks is asked of its best path.
    """

    guard = Personal.name
    threshold = Personal.threshold
    epsilons: tuple[float, ...] = (0.3, 0.6)

    def __init__(self, data: Path | None, part: Part) -> None:
        self.samples = _samples(data, part)
        self._guard = Personal()
        self._tagger = shipped_tagger()
        digest = sha256(self._tagger.weights.tobytes() + self._tagger.steps.tobytes())
        self.version = f"{Personal.version}-{digest.hexdigest()[:12]}"

    def scores(self, samples: Sequence[Sample]) -> list[float]:
        """Return the guard's score where it masks some of what must be found, 0 elsewhere."""
        scans = self._guard.scan([sample.text for sample in samples])
        return [
            scan.score
            if sample.start == sample.end
            or any(s.start < sample.end and sample.start < s.end for s in scan.spans)
            else 0.0
            for sample, scan in zip(samples, scans, strict=True)
        ]

    def surface(self, sample: Sample) -> Surface:
        """Return the traits of all words."""
        matches = list(TOKEN.finditer(sample.text))
        words = [match[0] for match in matches]
        sought = np.array([m.start() < sample.end and sample.start < m.end() for m in matches])
        field = _Field(self._tagger, words, sought)
        start = np.ones(field.emissions.shape[0] * field.emissions.shape[1], np.float32)
        return Surface(start, Odds(field.log_odds), field.speaks, np.zeros_like(start), "inf")


def _samples(data: Path | None, part: Part) -> list[Sample]:
    """Return the first name or address of each text that has one."""
    if data is None:
        made = islice(sentences(_SEED, lambda form: part in ("all", half(str(form)))), _OWN)
        rows = [(one.text, [(s.label, s.start, s.end) for s in one.spans]) for one in made]
    else:
        labels = {TYPES[label]: label for label in _SOUGHT}
        rows = [
            (row.text, [(labels.get(s.type, ""), s.start, s.end) for s in row.spans])
            for row in read_rows(data, Row)
            if part in ("all", half(str(row.template)))
        ]
    found = []
    for text, places in rows:
        named = [place for place in places if place[0] in _SOUGHT]
        if named:
            found.append(Sample(text, named[0][1], named[0][2]))
    return found


class _Field:
    """The conditional random field over the words of one text, whose features may be weakened.

    Args:
        tagger: The model.
        words: The words.
        sought: Which of them must be found.
    """

    def __init__(self, tagger: Tagger, words: list[str], sought: np.ndarray) -> None:
        self._tagger = tagger
        self._sought = sought
        self.emissions = tagger.weights[features(words)]
        self._weights = torch.from_numpy(self.emissions)
        self._steps = torch.from_numpy(tagger.steps)
        first = torch.zeros(len(TAGS))
        first[2::2] = -1e4
        self._first = first
        named = torch.tensor([tag[2:] in _SOUGHT for tag in TAGS])
        self._silent = torch.where(named, -1e4, 0.0)
        self._named = named.numpy()

    def log_odds(self, shares: torch.Tensor) -> torch.Tensor:
        """Return the log odds that any word sought is part of a name or an address, a row each."""
        return torch.stack([self._log_odds(row) for row in shares])

    def _log_odds(self, shares: torch.Tensor) -> torch.Tensor:
        scores = (shares.reshape(self._weights.shape[:2])[:, :, None] * self._weights).sum(dim=1)
        every, silent = self._sum(scores, False), self._sum(scores, True)
        none = torch.clamp(silent - every, max=-1e-6)
        return torch.log(-torch.expm1(none)) - none

    def speaks(self, shares: Floats) -> bool:
        """Return whether the best path names any word sought."""
        scores = (shares.reshape(self.emissions.shape[:2])[:, :, None] * self.emissions).sum(axis=1)
        tags = self._tagger.best(scores)
        return bool(self._named[np.array(tags)][self._sought].any())

    def _sum(self, scores: torch.Tensor, silent: bool) -> torch.Tensor:
        """Return the logarithm of the sum over all paths, or those that name no word sought."""
        total = torch.zeros(())
        for place, row in enumerate(scores):
            now = row + self._silent if silent and self._sought[place] else row
            ways = (
                self._first if place == 0 else torch.logsumexp(total[:, None] + self._steps, dim=0)
            )
            total = ways + now
        return torch.logsumexp(total, dim=0)
