"""Fit the tagger of personal details on sentences of our own, the same weights for one seed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from infra.pii.sentences import Sentence
from monitors.pii_tagger import TAGS, Floats, Tagger, tags_of
from monitors.pii_words import BUCKETS, features

Ints = npt.NDArray[np.int64]
Show = Callable[[int, int, float], None]

_BATCH = 64
_RATE = 0.08
_LOST_RATE = 0.3
_SHRINK = 2e-6
_NEVER = np.float32(-1e4)


def possible_steps() -> Floats:
    """Return 0 where one tag may follow another and -1e4 where not: I only after B or I."""
    steps = np.zeros((len(TAGS), len(TAGS)), np.float32)
    for inside in range(2, len(TAGS), 2):
        steps[:, inside] = _NEVER
        steps[[inside - 1, inside], inside] = 0
    return steps


def fit(rows: Sequence[Sentence], epochs: int, seed: int, show: Show = lambda *_: None) -> Tagger:
    """Return the model that makes the labels of ``rows`` likely (AdaGrad on the likelihood).

    A share of the features gets lost at random at each step, so that none is relied on alone.

    References:
        J. Duchi, E. Hazan, Y. Singer, "Adaptive subgradient methods", JMLR 12 (2011).
    """
    rng = np.random.default_rng(seed)
    examples = []
    for row in rows:
        words, tags = tags_of(row.text, row.spans)
        if words:
            examples.append((features(words).astype(np.uint16), np.array(tags)))
    examples.sort(key=lambda example: len(example[1]))
    batches = [examples[at : at + _BATCH] for at in range(0, len(examples), _BATCH)]
    allowed = possible_steps()
    weights = np.zeros((BUCKETS, len(TAGS)), np.float32)
    steps = np.zeros_like(allowed)
    sums, step_sums = np.full_like(weights, 1e-3), np.full_like(steps, 1e-3)
    mean = np.zeros_like(weights)
    mean_steps = np.zeros_like(steps)
    done, total = 0, epochs * len(batches)
    for epoch in range(epochs):
        for number in rng.permutation(len(batches)):
            loss, buckets, change, step_change = _gradient(
                batches[number], weights, steps + allowed, rng
            )
            sums[buckets] += change**2
            weights[buckets] -= _RATE * change / np.sqrt(sums[buckets])
            step_sums += step_change**2
            steps -= _RATE * step_change / np.sqrt(step_sums)
            steps *= allowed == 0
            done += 1
            if done % 50 == 0:
                show(done, total, loss)
        weights *= 1 - _SHRINK * len(batches)
        if epoch >= epochs // 2:
            mean += weights
            mean_steps += steps
    kept = np.float32(epochs - epochs // 2)
    return Tagger(mean / kept, mean_steps / kept + allowed)


def _gradient(
    batch: Sequence[tuple[npt.NDArray[np.uint16], Ints]],
    weights: Floats,
    steps: Floats,
    rng: np.random.Generator,
) -> tuple[float, Ints, Floats, Floats]:
    """Return loss per word, the buckets in use, and how the loss grows with weights and steps."""
    longest = max(len(tags) for _, tags in batch)
    count = len(TAGS)
    words = np.concatenate([found for found, _ in batch]).astype(np.int64)
    keep = rng.random(words.shape, np.float32) >= _LOST_RATE
    scale = np.float32(1 / (1 - _LOST_RATE))
    rows, columns = np.nonzero(keep)
    buckets = words[rows, columns]
    starts = np.concatenate([[0], np.cumsum(keep.sum(axis=1))[:-1]])
    flat = np.add.reduceat(weights[buckets], starts, axis=0) * scale
    mask = np.zeros((len(batch), longest), bool)
    for number, (_, tags) in enumerate(batch):
        mask[number, : len(tags)] = True
    scores = np.zeros((len(batch), longest, count), np.float32)
    scores[mask] = flat
    gold = np.zeros((len(batch), longest), np.int64)
    gold[mask] = np.concatenate([tags for _, tags in batch])
    loss, single, pair = _expectations(scores, gold, mask, steps)
    change = single[mask] * scale
    order = np.argsort(buckets, kind="stable")
    sorted_buckets = buckets[order]
    unique, first = np.unique(sorted_buckets, return_index=True)
    growth = np.add.reduceat(change[rows[order]], first, axis=0)
    return loss / mask.sum(), unique, growth, pair


def _expectations(
    scores: Floats, gold: Ints, mask: npt.NDArray[np.bool_], steps: Floats
) -> tuple[float, Floats, Floats]:
    """Return the loss, and expected minus true counts of tags and of steps (forward-backward)."""
    size, longest, count = scores.shape
    scores = scores.copy()
    scores[:, 0, 2::2] += _NEVER
    ways = np.exp(steps)
    forward = np.zeros((longest, size, count), np.float32)
    norms = np.zeros((longest, size), np.float32)
    peak = scores.max(axis=2)
    odds = np.exp(scores - peak[:, :, None])
    for place in range(longest):
        now = odds[:, place] if place == 0 else (forward[place - 1] @ ways) * odds[:, place]
        total = now.sum(axis=1)
        live = mask[:, place]
        now = np.where(live[:, None], now / total[:, None], forward[place - 1])
        forward[place] = now
        norms[place] = np.where(live, np.log(total) + peak[:, place], 0)
    back = np.ones((size, count), np.float32)
    single = np.zeros_like(scores)
    pair = np.zeros_like(steps)
    for place in range(longest - 1, -1, -1):
        live = mask[:, place]
        chance = forward[place] * back
        chance /= chance.sum(axis=1, keepdims=True)
        single[:, place] = np.where(live[:, None], chance, 0)
        if place == 0:
            break
        message = odds[:, place] * back
        joint = np.einsum("bi,ij,bj->bij", forward[place - 1], ways, message, optimize=True)
        joint /= joint.sum(axis=(1, 2), keepdims=True)
        pair += joint[live].sum(axis=0)
        new = message @ ways.T
        back = np.where(live[:, None], new / new.sum(axis=1, keepdims=True), back)
    numbers, places = np.nonzero(mask)
    tags = gold[numbers, places]
    likelihood = float(scores[numbers, places, tags].sum())
    single[numbers, places, tags] -= 1
    later = places > 0
    before = gold[numbers[later], places[later] - 1]
    np.add.at(pair, (before, tags[later]), -1)
    likelihood += float(steps[before, tags[later]].sum())
    return float(norms.sum()) - likelihood, single, pair
