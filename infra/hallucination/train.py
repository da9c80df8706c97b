"""Make the model of made-up answers that ships, from labelled questions and answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from infra.eval.hallucination import Row
from infra.eval.ranking import auc, best_f1_threshold, bootstrap
from infra.eval.rows import read_rows
from infra.eval.split import half
from infra.fitting.text import Floats, Strengths, fit_text_model
from monitors.answer_signs import read_answer, read_question
from monitors.text_model import TextModel, saved_text_model

STRENGTHS = Strengths(words=0.03, numbers=0.0003)


def train_hallucination(folder: Path, data: Path) -> TextModel:
    """Fit the models on the fit half of ``data`` and save them in ``folder`` with their card.

    One reads question and answer, and is the guard's. The other reads the question alone, and
    says how much of the first's success is the question's.

    Args:
        folder: Where weights and card go.
        data: Rows of ``query``, ``response`` and ``label``, ``yes`` or ``no``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows = [row for row in read_rows(data, Row) if half(row.query) == "fit"]
    made_up = np.array([row.label == "yes" for row in rows], np.bool_)
    answers, of_answers = fit_text_model(
        [read_answer(row.query, row.response) for row in rows],
        made_up,
        STRENGTHS,
        best_f1_threshold,
    )
    questions, of_questions = fit_text_model(
        [read_question(row.query) for row in rows], made_up, STRENGTHS, best_f1_threshold
    )
    answers = saved_text_model(answers, folder / "answers.safetensors")
    saved_text_model(questions, folder / "questions.safetensors")

    def said(chances: Floats) -> str:
        low, high = bootstrap(auc, chances, made_up)
        return f"{auc(chances, made_up):.3f} ({low:.3f} to {high:.3f})"

    (folder / "README.md").write_text(
        f"""\
# tidegate-hallucination

Linear models over hashed words and some sixty signs of how questions and answers are worded, which
say how likely an answer is made up. Version 1-{answers.version}; the guard speaks from a chance of
{answers.threshold:.3f} on, where F1 is best. Fitted by `tidegate train hallucination` on
{len(rows):,} answers of a model to general questions, {int(made_up.sum())} of them labelled as made
up by people (HaluEval general, MIT; the fit half of `hallucination.jsonl`). English. Apache-2.0.

| five-fold cross-validation on those | AUC (95 %, bootstrap) |
| --- | --- |
| question and answer | {said(of_answers)} |
| the question alone | {said(of_questions)} |

The models know no facts. They rank answers for review; they are no ground to withhold one. Judge
them on your own answers with `tidegate eval hallucination --data FILE`.
"""
    )
    return answers
