"""How well attacks on a model are told from harmless texts, also from sources never seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from infra.attacks.corpus import Example
from infra.attacks.given import Part, at_most, given
from infra.attacks.ship import GIVEN_MAX
from infra.attacks.train import Examples, written
from infra.eval.intervals import wilson
from infra.eval.picture import draw
from infra.eval.ranking import Flags, Floats, auc, bootstrap, calibration_error, recall_at
from infra.eval.split import half
from monitors.injection import Injection

Scorer = Callable[[Sequence[str]], Floats]

_FEWEST_EXPECTED = 5
"""False positives that must be expected for a threshold to be more than chance."""
_LENGTHS = (64, 256, 1024)
_BATCHES = (1, 32)


def evaluate(
    data: Sequence[Path],
    benign: Sequence[Path] = (),
    part: Part = "all",
    leave_source_out: bool = False,
    beside: bool = False,
    picture: Path | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """Return the figures of the guard with the weights that ship, on the rows of some files.

    With ``leave_source_out``, for each source besides those of a model that was fitted without it:
    on the written examples and the fit half of the other sources; judged on the report half. Next
    to them stand the figures of a model fitted on the fit half of all sources, ``same_sources``.

    Args:
        data: Files of ``text``, ``label`` (``attack`` or ``benign``) and maybe ``source``.
        benign: Files of texts that are no attack, each a source of its own.
        part: The half of the texts to judge the shipped weights on, by the fixed split, or all.
        leave_source_out: Whether to fit models without each source in turn; takes minutes.
        beside: Whether character n-grams weighed by logistic regression run beside them, fitted on
            the same rows (without the written examples).
        picture: Where to draw how the shipped weights rank, and what they find in each source.
        seed: Of the models that are fitted.

    Raises:
        ConfigError: If a file cannot be read, or scikit-learn is needed and not installed.
    """
    rows = given(data, benign, part)
    positive = np.array([row.attack for row in rows])
    guard = Injection()
    scores = _scored(guard, [row.text for row in rows])
    report: dict[str, Any] = {"n": len(rows), "part": part, "threshold": guard.threshold}
    report |= _figures(scores, positive)
    at = _operating_point(scores, positive)
    report["by_source"] = {
        source: _at_thresholds(scores[where], positive[where], guard.threshold, at)
        for source, where in _split([row.source for row in rows])
    }
    report["by_length"] = {
        band: _at_thresholds(scores[where], positive[where], guard.threshold, at)
        for band, where in _split([_band(row.text) for row in rows])
    }
    report["calibration"] = {"error": round(calibration_error(scores, positive), 4)}
    report["latency_ms"] = _latencies(guard, [row.text for row in rows])
    if leave_source_out:
        report |= _without_each(given(data, benign), beside, seed)
    if picture is not None:
        _draw(picture, rows, scores, positive, guard.threshold)
    return report


def _scored(guard: Injection, texts: Sequence[str]) -> Floats:
    return np.array([scan.score for scan in guard.scan(texts)])


def _figures(scores: Floats, positive: Flags) -> dict[str, Any]:
    """Return what holds whatever the threshold, with intervals."""
    attacks, harmless = int(positive.sum()), int((~positive).sum())
    found: dict[str, Any] = {"attacks": attacks, "benign": harmless}
    if not attacks or not harmless:
        return found | {"auc": None, "recall_at_fpr_0.01": None, "recall_at_fpr_0.001": None}
    intervals: dict[str, Any] = {"auc": bootstrap(auc, scores, positive, draws=200)}
    found["auc"] = round(auc(scores, positive), 4)
    for rate in (0.01, 0.001):
        name = f"recall_at_fpr_{rate}"
        if rate * harmless < _FEWEST_EXPECTED:
            found[name] = intervals[name] = None
            continue
        _, hits = recall_at(scores, positive, rate)
        found[name] = round(hits / attacks, 4)
        intervals[name] = wilson(hits, attacks)
    return found | {"ci95": intervals}


def _operating_point(scores: Floats, positive: Flags) -> float | None:
    """Return the score that 1 % of the harmless texts exceed; None if that says too little."""
    if 0.01 * (~positive).sum() < _FEWEST_EXPECTED:
        return None
    return recall_at(scores, positive, 0.01)[0]


def _at_thresholds(
    scores: Floats, positive: Flags, threshold: float, at: float | None
) -> dict[str, Any]:
    """Return what of a group of texts is flagged, by the guard and at 1 % false positives."""
    found: dict[str, Any] = {"n": len(scores)}
    for name, kind in (("attacks", positive), ("benign", ~positive)):
        if not kind.any():
            continue
        flagged = _share(scores[kind] >= threshold)
        found[name] = {"n": int(kind.sum()), "flagged": flagged["rate"], "ci95": flagged["ci95"]}
        if at is not None:
            beyond = _share(scores[kind] > at)
            found[name] |= {"at_fpr_0.01": beyond["rate"], "at_fpr_0.01_ci95": beyond["ci95"]}
    return found


def _share(flags: Flags) -> dict[str, Any]:
    return {
        "rate": round(float(flags.mean()), 4),
        "ci95": wilson(int(flags.sum()), len(flags)),
    }


def _split(names: Sequence[str]) -> list[tuple[str, Flags]]:
    each = np.array(names)
    return [(str(name), each == name) for name in sorted(set(names))]


def _band(text: str) -> str:
    low = max((edge for edge in (0, *_LENGTHS) if len(text) >= edge), default=0)
    high = next((edge for edge in _LENGTHS if len(text) < edge), None)
    return f"{low:04d}-{high - 1:04d}" if high else f"{low:04d}-"


def _latencies(guard: Injection, texts: Sequence[str]) -> dict[str, Any]:
    """Return milliseconds a text: the median batch and the slowest but one in a hundred."""
    found = {}
    for batch in _BATCHES:
        taken = []
        for start in range(0, len(texts), batch):
            some = texts[start : start + batch]
            began = perf_counter()
            guard.scan(some)
            taken.append((perf_counter() - began) * 1000 / len(some))
        p50, p99 = np.quantile(taken, [0.5, 0.99])
        found[f"batch_{batch}"] = {"p50": round(float(p50), 4), "p99": round(float(p99), 4)}
    return found


def _without_each(rows: Sequence[Example], beside: bool, seed: int) -> dict[str, Any]:
    """Return the figures of models that saw nothing of a source, and of one that saw all."""
    made = written(seed)
    known = at_most([row for row in rows if half(row.text) == "fit"], GIVEN_MAX)
    examples = Examples([*made, *known])
    judged = [row for row in rows if half(row.text) == "report"]
    attacks = {row.source for row in rows if row.attack}

    def compared(source: str | None) -> dict[str, Any]:
        chosen = [n for n, one in enumerate(examples.examples) if one.source != source]
        guard = Injection(examples.model(chosen, seed))
        some = [
            row
            for row in judged
            if source is None or row.source == source or row.attack != (source in attacks)
        ]
        if source is not None and source not in attacks:
            some = [row for row in some if row.attack or row.source == source]
        found = _judged(lambda texts: _scored(guard, texts), some, guard.threshold)
        if beside:
            from infra.eval.ngrams import scorer

            other = scorer([row for row in known if row.source != source])
            found["beside"] = {"ngrams": _judged(other, some, 0.5)}
        return found

    return {
        "leave_source_out": {
            source: compared(source) for source in sorted({r.source for r in rows})
        },
        "same_sources": compared(None),
    }


def _judged(score: Scorer, rows: Sequence[Example], threshold: float) -> dict[str, Any]:
    """Return how ``rows`` are ranked, and what of them is flagged at the threshold of training.

    Recall at 1 % false positives is stated however few texts there are to be false positives, for a
    single source seldom has many; ``expected_false_positives`` says how few.
    """
    scores = score([row.text for row in rows])
    positive = np.array([row.attack for row in rows])
    found = _figures(scores, positive)
    if found["auc"] is not None:
        _, hits = recall_at(scores, positive, 0.01)
        found["recall_at_fpr_0.01"] = round(hits / found["attacks"], 4)
        found["ci95"]["recall_at_fpr_0.01"] = wilson(hits, found["attacks"])
        found["expected_false_positives"] = round(0.01 * found["benign"], 2)
    return {
        "n": len(rows),
        **found,
        "carried_over": _at_thresholds(scores, positive, threshold, None),
    }


def _draw(
    path: Path, rows: Sequence[Example], scores: Floats, positive: Flags, threshold: float
) -> None:
    flagged = {
        f"{source} {'found' if positive[where].any() else 'flagged'}": (
            int((scores[where] >= threshold).sum()),
            int(where.sum()),
        )
        for source, where in _split([row.source for row in rows])
    }
    draw(path, f"injection, {len(rows):,} texts", scores, positive, flagged)
