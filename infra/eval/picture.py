"""Evaluations drawn: how well scores rank, whether chances hold, and rates with their intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

import numpy as np
import numpy.typing as npt

from infra.eval.intervals import wilson

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Rates = Mapping[str, tuple[int, int]]

_SIDE = 260
_MARGIN = 56
_BAR = 22
_BINS = 10
_LOWEST = 1e-3
"""Where the logarithmic axis of false positives begins."""
_STYLE = (
    "<style>text{font:12px sans-serif;fill:#333}.t{font-weight:bold}.a{stroke:#999;fill:none}"
    ".d{stroke:#bbb;stroke-dasharray:4 3}.c{stroke:#0b6bcb;stroke-width:2;fill:none}"
    ".p{fill:#0b6bcb}.b{fill:#a9cdf0}.i{stroke:#333}</style>"
)


def draw(
    path: Path, title: str, scores: Floats, positive: Flags, rates: Rates | None = None
) -> None:
    """Write an SVG of how well ``scores`` tell positives, and of ``rates`` below it.

    Left, recall against the rate of false positives, which is logarithmic, for that is where guards
    work. Right, how often texts were positive against what was said, in bins of equal count.

    Args:
        path: The file.
        title: What stands above.
        scores: Stated chances, 0 to 1, shape (texts,).
        positive: What was the case, shape (texts,).
        rates: Hits and number by name, drawn as bars with 95 % intervals.
    """
    rates = rates or {}
    height = _SIDE + 2 * _MARGIN + (len(rates) * _BAR + _MARGIN if rates else 0)
    width = 2 * _SIDE + 3 * _MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">{_STYLE}',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        f'<text class="t" x="{_MARGIN}" y="24">{escape(title)}</text>',
        _panel(_MARGIN, "false positives (log)", "recall", ("0.001", "0.01", "0.1", "1")),
        _line(_MARGIN, [(_log(rate), recall) for rate, recall in _roc(scores, positive)]),
        _panel(2 * _MARGIN + _SIDE, "stated chance", "share", ("0", "0.5", "1")),
        f'<path class="d" d="M{2 * _MARGIN + _SIDE} {_MARGIN + _SIDE}l{_SIDE} {-_SIDE}"/>',
        _dots(2 * _MARGIN + _SIDE, _reliability(scores, positive)),
        *_bars(rates, 2 * _MARGIN + _SIDE, width),
        "</svg>",
    ]
    path.write_text("\n".join(parts) + "\n")


def _roc(scores: Floats, positive: Flags) -> list[tuple[float, float]]:
    """Return rates of false positives and recalls, one point per different score."""
    order = np.argsort(-scores, kind="stable")
    last = np.append(np.diff(scores[order]) != 0, True)
    hits = np.cumsum(positive[order])[last] / max(1, int(positive.sum()))
    wrong = np.cumsum(~positive[order])[last] / max(1, int((~positive).sum()))
    return [(0.0, 0.0), *zip(wrong.tolist(), hits.tolist(), strict=True)]


def _reliability(scores: Floats, positive: Flags) -> list[tuple[float, float]]:
    parts = np.array_split(np.argsort(scores, kind="stable"), min(_BINS, len(scores)))
    return [(float(scores[p].mean()), float(positive[p].mean())) for p in parts]


def _log(rate: float) -> float:
    return 1 - math.log10(max(rate, _LOWEST)) / math.log10(_LOWEST)


def _panel(left: int, across: str, up: str, ticks: Sequence[str]) -> str:
    bottom = _MARGIN + _SIDE
    step = _SIDE / (len(ticks) - 1)
    marks = [
        f'<text x="{left + place * step:.0f}" y="{bottom + 16}" text-anchor="middle">{tick}</text>'
        for place, tick in enumerate(ticks)
    ]
    return (
        f'<rect class="a" x="{left}" y="{_MARGIN}" width="{_SIDE}" height="{_SIDE}"/>'
        + "".join(marks)
        + f'<text x="{left + _SIDE / 2}" y="{bottom + 34}" text-anchor="middle">{across}</text>'
        + f'<text x="{left - 6}" y="{_MARGIN + 4}" text-anchor="end">1</text>'
        + f'<text x="{left - 6}" y="{bottom + 4}" text-anchor="end">0</text>'
        + f'<text x="{left - 6}" y="{_MARGIN + _SIDE / 2}" text-anchor="end">{up}</text>'
    )


def _line(left: int, points: Sequence[tuple[float, float]]) -> str:
    steps = " ".join(f"{x:.1f},{y:.1f}" for x, y in _placed(left, points))
    return f'<polyline class="c" points="{steps}"/>'


def _dots(left: int, points: Sequence[tuple[float, float]]) -> str:
    placed = _placed(left, points)
    return "".join(f'<circle class="p" cx="{x:.1f}" cy="{y:.1f}" r="4"/>' for x, y in placed)


def _placed(left: int, points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    return [(left + x * _SIDE, _MARGIN + (1 - y) * _SIDE) for x, y in points]


def _bars(rates: Rates, left: int, width: int) -> list[str]:
    """Return one bar per name, its interval across its end."""
    top = _SIDE + 2 * _MARGIN + 8
    room = width - left - _MARGIN
    drawn = []
    for place, (name, (hits, n)) in enumerate(rates.items()):
        bounds = wilson(hits, n)
        if bounds is None:
            continue
        y = top + place * _BAR
        low, high = (left + bound * room for bound in bounds)
        drawn.append(
            f'<text x="{left - 8}" y="{y + 12}" text-anchor="end">{escape(name)} ({n})</text>'
            f'<rect class="b" x="{left}" y="{y}" width="{hits / n * room:.1f}" height="14"/>'
            f'<path class="i" d="M{low:.1f} {y + 7}H{high:.1f}"/>'
            f'<text x="{left + room + 6}" y="{y + 12}">{hits / n:.2f}</text>'
        )
    return drawn
