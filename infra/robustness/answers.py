"""The guard that ranks made-up answers, attacked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from infra.eval.hallucination import Row
from infra.eval.rows import read_rows
from infra.eval.split import half
from infra.robustness.features import Surface, surface
from infra.robustness.sample import Sample, whole
from infra.robustness.target import Part
from monitors.answer_signs import question_numbers, read_answer
from monitors.guard import Context
from monitors.hallucination import Hallucination, shipped_hallucination_model
from monitors.text_model import weighed
from schemas.errors import ConfigError


class AnswersTarget:
    """Made-up answers; the attacker words the answer, and not the question.

    Features are the words of the answer, as they weigh, and the numbers that describe it; what
    describes the question stays as it is.
    """

    guard = Hallucination.name
    epsilons: tuple[float, ...] = (0.1, 0.3)

    def __init__(self, data: Path | None, part: Part) -> None:
        if data is None:
            raise ConfigError("made-up answers of our own there are none", key="--data")
        self.samples = [
            whole(row.response, row.query)
            for row in read_rows(data, Row)
            if row.label == "yes" and part in ("all", half(row.query))
        ]
        self._guard = Hallucination()
        self.version = self._guard.version
        self.threshold = self._guard.threshold

    def scores(self, samples: Sequence[Sample]) -> list[float]:
        """Return how likely each answer is made up."""
        contexts = [Context(sample.beside, sample.beside) for sample in samples]
        texts = [sample.text for sample in samples]
        return [scan.score for scan in self._guard.scan_in_context(texts, contexts)]

    def surface(self, sample: Sample) -> Surface:
        """Return what each word of the answer and each number adds to the log odds, in shares."""
        model = shipped_hallucination_model("answers")
        read = read_answer(sample.beside, sample.text)
        buckets, values = weighed(read.texts, model.idf)
        words, numbers = values * model.table[buckets], read.numbers * model.dense
        asked = len(weighed(read.texts[:1], model.idf)[0])
        described = len(question_numbers(sample.beside))
        limit = math.log(self.threshold / (1 - self.threshold))
        rest = model.bias - limit + float(words[:asked].sum() + numbers[:described].sum())
        weights = torch.from_numpy(np.concatenate([words[asked:], numbers[described:]]))
        start = np.ones(len(weights), np.float32)
        return surface(start, lambda shares: shares @ weights + rest, np.zeros_like(start), "inf")
