"""What the models of harm, made-up answers and groundedness are fitted on, and how."""

from __future__ import annotations

from itertools import islice

import numpy as np

from infra.eval.ranking import auc
from infra.fitting.logistic import fit_logistic
from infra.fitting.text import Strengths, fit_text_model
from infra.groundedness.corpus import claims
from infra.groundedness.train import fit as fit_support
from infra.harm.corpus import sentences
from infra.harm.train import SPEAKS_FROM, calibrated, fit
from monitors.support import sentences as sentences_of
from monitors.text_model import Reading


def test_requests_are_the_same_for_the_same_seed_and_half_do_harm() -> None:
    """Nothing of the grammar is left in them, and other seeds make others."""
    written = list(islice(sentences(0), 400))
    assert written == list(islice(sentences(0), 400))
    assert written != list(islice(sentences(1), 400))
    assert sum(one.unsafe for one in written) == 200
    assert not any(set("{}[]|") & set(one.text) for one in written)


def test_claims_are_one_sentence_each_and_come_right_and_wrong() -> None:
    """Every fault occurs, and a wrong claim has the passages of the right one before it."""
    written = list(islice(claims(0), 400))
    assert {claim.fault for claim in written} == {"", "value", "mixed", "denied", "elsewhere"}
    assert all(len(sentences_of(claim.sentence)) == 1 for claim in written)
    assert all(claim.unsupported == bool(claim.fault) for claim in written)


def test_logistic_regression_recovers_what_made_the_labels() -> None:
    """Weights of labels drawn by known ones lie near them; unbalanced kinds do not matter."""
    rng = np.random.default_rng(0)
    rows = np.hstack([rng.normal(size=(1500, 2)), np.ones((1500, 1))])
    true = np.array([1.5, -1.0, -1.0])
    labels = (rng.random(1500) < 1 / (1 + np.exp(-rows @ true))).astype(np.float64)
    assert np.allclose(fit_logistic(rows, labels, 100.0, balance=False), true, atol=0.3)


def test_a_text_model_learns_words_and_numbers() -> None:
    """What it says of rows it did not see ranks them, and the threshold is the caller's choice."""
    rng = np.random.default_rng(0)
    positive = rng.random(120) < 0.4
    readings = [
        Reading(("a", "leak flood" if is_so else "calm sea"), rng.normal(is_so, 1, 2).astype("f4"))
        for is_so in positive
    ]
    model, held = fit_text_model(readings, positive, Strengths(0.1, 0.01), lambda *_: 0.4)
    assert auc(held, positive) > 0.95
    assert model.threshold == 0.4
    assert model.chance(readings[int(positive.argmax())]) > 0.5


def test_the_network_of_harm_is_fitted_and_made_sure_before_it_blocks() -> None:
    """The same seed gives the same weights; no harmless row of the calibration reaches it."""
    written = list(islice(sentences(0), 128))
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(128, 384)).astype(np.float32)
    vectors[:, 0] += [4 * one.unsafe for one in written]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    model = fit(vectors, written, 0)
    assert model.version == fit(vectors, written, 0).version
    unsafe = np.array([one.unsafe for one in written])
    scaled = calibrated(model, vectors, unsafe)
    assert scaled.threshold >= SPEAKS_FROM
    assert scaled.chance(vectors[~unsafe]).max() < scaled.threshold


def test_support_is_fitted_in_the_units_of_its_traits() -> None:
    """Scaling a trait scales its weight back."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(300, 2))
    labels = (rows[:, 0] + rng.normal(0, 0.5, 300) > 0).astype(np.float64)
    one, other = fit_support(rows, labels), fit_support(rows * [10.0, 1.0], labels)
    assert np.allclose(one.weights, other.weights * np.array([10, 1]), rtol=1e-3)
