"""How well requests that do harm are told from those that only sound like it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel

from infra.eval.binary import by_length, figures, latencies_ms, rate, rates_by
from infra.eval.picture import draw
from infra.eval.rows import read_rows
from infra.eval.split import half
from monitors.harm import Embed, Harm
from schemas.errors import ConfigError


class Row(BaseModel):
    """A request, whether it does harm, and of which kind it is."""

    text: str
    label: Literal["safe", "unsafe"]
    type: str = ""


def evaluate(
    data: Path, embed: Embed, part: str = "all", picture: Path | None = None
) -> dict[str, Any]:
    """Return the figures of the guard against harm on the rows of ``data``.

    Args:
        data: Rows of ``text`` and ``label``, ``safe`` or ``unsafe``, maybe with a ``type``.
        embed: Turns texts into unit vectors.
        part: ``fit`` or ``report``, the half of the texts to judge on, or ``all``.
        picture: Where to draw it, if it is to be drawn.

    Raises:
        ConfigError: If a file cannot be used.
    """
    rows = [row for row in read_rows(data, Row) if part in ("all", half(row.text))]
    unsafe = np.array([row.label == "unsafe" for row in rows], np.bool_)
    if not unsafe.any() or unsafe.all():
        raise ConfigError("needs rows labelled safe and rows labelled unsafe", file=str(data))
    guard = Harm(embed)
    texts = [row.text for row in rows]
    chances = np.array([scan.score for scan in guard.scan(texts)])
    said = chances >= guard.threshold
    kinds = [row.type or "all" for row in rows]
    report = {
        "task": "harm",
        "guard_version": guard.version,
        "part": part,
        **figures(chances, unsafe, guard.threshold),
        "safe_blocked": rate(int((said & ~unsafe).sum()), int((~unsafe).sum())),
        "unsafe_blocked": rate(int((said & unsafe).sum()), int(unsafe.sum())),
        "safe_blocked_by_type": rates_by(kinds, said, ~unsafe),
        "unsafe_blocked_by_type": rates_by(kinds, said, unsafe),
        "by_length": by_length([len(text) for text in texts], chances, unsafe),
        "latency_ms": latencies_ms(lambda some: guard.scan([texts[i] for i in some]), len(texts)),
    }
    if picture is not None:
        hits = {
            f"{row.label} {row.type}": (0, 0)
            for row in sorted(rows, key=lambda r: (r.label, r.type))
        }
        for row, is_said in zip(rows, said.tolist(), strict=True):
            found, n = hits[f"{row.label} {row.type}"]
            hits[f"{row.label} {row.type}"] = (found + is_said, n + 1)
        draw(picture, f"harm ({guard.version})", chances, unsafe, hits)
    return report
