"""Answers that are likely made up, by how question and answer are worded."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Literal

from monitors.answer_signs import read_answer
from monitors.guard import Context, Cost, Scan
from monitors.text_model import READ_CHARS, TextModel, load_text_model
from schemas.verdicts import Action, Direction

Name = Literal["answers", "questions"]


class Hallucination:
    """Flag answers that are likely to say what is not so, where there is nothing to check them by.

    A linear model weighs words of question and answer and some sixty signs: numbers and names that
    the question does not have, hedges, "as a language model", what kind of question it is. It knows
    no facts and is a weak witness: it ranks answers for review, and its card says how well
    (``tidegate train hallucination``). Where passages came with the request,
    :class:`monitors.groundedness.Groundedness` is the better judge. It reads the first 4,000
    characters.

    Args:
        model: What weighs them; by default what ships with Tidegate.
    """

    name = "hallucination"
    cost = Cost.LEARNED
    optional = True
    needs_passages = False
    directions: tuple[Direction, ...] = (Direction.ANSWER,)
    action = Action.FLAG

    def __init__(self, model: TextModel | None = None) -> None:
        self._model = model or shipped_hallucination_model("answers")
        self.version = f"1-{self._model.version}"
        self.threshold = self._model.threshold

    def scan(self, texts: Sequence[str]) -> list[Scan]:
        """Return one scan per answer of which the question is not known."""
        return self.scan_in_context(texts, [Context("")] * len(texts))

    def scan_in_context(self, texts: Sequence[str], contexts: Sequence[Context]) -> list[Scan]:
        """Return one scan per answer, in order."""
        return [
            Scan(
                self._model.chance(read_answer(context.question, text)), min(len(text), READ_CHARS)
            )
            for text, context in zip(texts, contexts, strict=True)
        ]


@cache
def shipped_hallucination_model(name: Name) -> TextModel:
    """Return a model that ships: of answers with their questions, or of questions alone."""
    folder = Path(str(files("monitors").joinpath("weights", "tidegate-hallucination")))
    return load_text_model(folder / f"{name}.safetensors")
