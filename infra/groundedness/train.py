"""Make the model of groundedness that ships: claims, fit, and the card with its figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

from infra.eval.intervals import wilson
from infra.eval.ranking import auc, bootstrap, calibration_error
from infra.fitting.logistic import fit_logistic
from infra.groundedness.corpus import Claim, claims, facts
from monitors.groundedness import Groundedness, SupportModel, saved_support_model
from monitors.support import FEATURES, Embed, features, sentences, source

Floats = npt.NDArray[np.float64]

CLAIMS = 1000
HELD_OUT = 600
_STRENGTH = 1.0
_HELD_KINDS = 6


def train_groundedness(folder: Path, embed: Embed, seed: int = 0) -> SupportModel:
    """Fit the model, save it in ``folder`` with its card and return it; takes minutes.

    It is fitted on two thirds of the kinds of facts; the card's figures are those on the rest.

    Args:
        folder: Where weights and card go.
        embed: Turns texts into unit vectors.
        seed: The same seed, the same weights.
    """
    folder.mkdir(parents=True, exist_ok=True)
    kinds = list(facts())
    held_kinds = kinds[:: len(kinds) // _HELD_KINDS]
    fitted = list(islice(claims(seed, [k for k in kinds if k not in held_kinds]), CLAIMS))
    held = list(islice(claims(seed + 1, held_kinds), HELD_OUT))
    model = saved_support_model(fit(_rows(fitted, embed), _labels(fitted)), folder)
    chances = model.chance(_rows(held, embed).astype(np.float32)).astype(np.float64)
    _write_card(folder, model, held, chances)
    return model


def fit(rows: Floats, labels: Floats) -> SupportModel:
    """Return a logistic regression of ``labels`` on traits of sentences."""
    mean, scale = rows.mean(axis=0), np.maximum(rows.std(axis=0), 1e-3)
    wide = np.hstack([(rows - mean) / scale, np.ones((len(rows), 1))])
    weights = fit_logistic(wide, labels, _STRENGTH, balance=False)
    return SupportModel(
        (weights[:-1] / scale).astype(np.float32),
        float(weights[-1] - (weights[:-1] / scale) @ mean),
    )


def _rows(written: Sequence[Claim], embed: Embed) -> Floats:
    """Return the traits of each claim; all that is embedded goes through the model together."""
    passages = {passage for claim in written for passage in claim.passages}
    said = {one.text for passage in passages for one in sentences(passage)}
    texts = sorted(said | {claim.sentence for claim in written})
    vectors = dict(zip(texts, embed(texts), strict=True))

    def known_vectors(these: Sequence[str]) -> npt.NDArray[np.float32]:
        return np.stack([vectors[text] for text in these])

    rows = []
    for claim in written:
        known = source(claim.passages, claim.question, known_vectors)
        (sentence,) = sentences(claim.sentence)
        rows.append(features(sentence, vectors[claim.sentence], known))
    return np.stack(rows).astype(np.float64)


def _labels(written: Sequence[Claim]) -> Floats:
    return np.array([float(claim.unsupported) for claim in written])


def _write_card(folder: Path, model: SupportModel, held: Sequence[Claim], chances: Floats) -> None:
    unsupported = _labels(held) == 1
    said = chances >= Groundedness.threshold
    low, high = bootstrap(auc, chances, unsupported)
    found, there = Counter[str](), Counter[str]()
    for claim, is_said in zip(held, said.tolist(), strict=True):
        there[claim.fault or "none"] += 1
        found[claim.fault or "none"] += is_said
    names = {
        "none": "nothing: it is supported",
        "value": "a number, name or date that no passage has",
        "mixed": "a value of another fact in the passages",
        "denied": "it denies what a passage says",
        "elsewhere": "the passages do not speak of it",
    }
    rows = "\n".join(
        f"| {name} | {there[fault]} | {_rate(found[fault], there[fault])} |"
        for fault, name in names.items()
    )
    weights = ", ".join(f"{n} {w:+.2f}" for n, w in zip(FEATURES, model.weights, strict=True))
    (folder / "README.md").write_text(
        f"""\
# tidegate-groundedness

A logistic regression over nine traits of a sentence held against passages, which says how likely
they do not support it. Version 1-{model.version}. Fitted by `tidegate train groundedness` on
{CLAIMS:,} sentences about made-up facts of {len(facts()) - len(_kinds(held))} kinds, from the forms
in `infra/groundedness/`, which were written for Tidegate. English. Apache-2.0.

On {len(held):,} sentences about {len(_kinds(held))} kinds of facts that it was not fitted on: AUC
{auc(chances, unsupported):.3f} ({low:.3f} to {high:.3f}), calibration error
{calibration_error(chances, unsupported):.3f}.

| what is wrong with the sentence | n | flagged (95 % Wilson) |
| --- | --- | --- |
{rows}

These forms are by the same author as those it was fitted on, so real answers will do worse. Weights
before the bias of {model.bias:+.2f}: {weights}.
"""
    )


def _kinds(held: Sequence[Claim]) -> set[str]:
    return {claim.kind for claim in held}


def _rate(hits: int, n: int) -> str:
    low, high = wilson(hits, n) or (0.0, 0.0)
    return f"{hits / max(1, n):.3f} ({low:.3f} to {high:.3f})"
