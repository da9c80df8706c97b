"""How well made-up answers are told from others, and how much of that is the question's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel

from infra.eval.binary import Floats, by_length, figures, latencies_ms
from infra.eval.picture import draw
from infra.eval.ranking import Flags, auc
from infra.eval.rows import read_rows
from infra.eval.split import half
from monitors.answer_signs import read_question
from monitors.guard import Context
from monitors.hallucination import Hallucination, shipped_hallucination_model
from schemas.errors import ConfigError

_DRAWS = 500


class Row(BaseModel):
    """A question, its answer, and whether the answer says what is not so."""

    query: str
    response: str
    label: Literal["yes", "no"]


def evaluate(data: Path, part: str = "all", picture: Path | None = None) -> dict[str, Any]:
    """Return the figures of the guard against made-up answers on the rows of ``data``.

    Args:
        data: Rows of ``query``, ``response`` and ``label``, ``yes`` if the answer is made up.
        part: ``fit`` or ``report``, the half of the questions to judge on, or ``all``.
        picture: Where to draw it, if it is to be drawn.

    Raises:
        ConfigError: If a file cannot be used.
    """
    rows = [row for row in read_rows(data, Row) if part in ("all", half(row.query))]
    made_up = np.array([row.label == "yes" for row in rows], np.bool_)
    if not made_up.any() or made_up.all():
        raise ConfigError("needs rows labelled yes and rows labelled no", file=str(data))
    guard = Hallucination()
    answers = [row.response for row in rows]
    contexts = [Context(row.query, row.query) for row in rows]
    chances = np.array([s.score for s in guard.scan_in_context(answers, contexts)])
    questions = shipped_hallucination_model("questions")
    alone = np.array([questions.chance(read_question(row.query)) for row in rows])

    def read(chosen: Sequence[int]) -> object:
        return guard.scan_in_context([answers[i] for i in chosen], [contexts[i] for i in chosen])

    if picture is not None:
        draw(picture, f"hallucination ({guard.version})", chances, made_up)
    return {
        "task": "hallucination",
        "guard_version": guard.version,
        "part": part,
        **figures(chances, made_up, guard.threshold),
        "query_only": {
            "auc": round(auc(alone, made_up), 4),
            "gain": round(auc(chances, made_up) - auc(alone, made_up), 4),
            "gain_ci95": _gain(chances, alone, made_up),
        },
        "by_length": by_length([len(answer) for answer in answers], chances, made_up),
        "latency_ms": latencies_ms(read, len(rows)),
    }


def _gain(chances: Floats, alone: Floats, made_up: Flags) -> tuple[float, float]:
    """Return the 95 % interval of what the answer adds to the AUC, over rows drawn again."""
    rng = np.random.default_rng(0)
    gains = []
    for _ in range(_DRAWS):
        drawn = rng.integers(0, len(made_up), len(made_up))
        gains.append(auc(chances[drawn], made_up[drawn]) - auc(alone[drawn], made_up[drawn]))
    low, high = np.nanquantile(gains, [0.025, 0.975])
    return round(float(low), 4), round(float(high), 4)
