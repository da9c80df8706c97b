"""Judges the embedding detector: how rarely it speaks without drift, how soon with it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from infra.eval.drift.kinds import KINDS, LEAD, Usual, events, reference_rows
from infra.eval.drift.pools import Part, Pools, read_pools
from infra.eval.drift.repeated import Told
from infra.eval.drift.simulate import Steps, run_lengths
from monitors.drift.embedding import EmbeddingDrift, EmbeddingReference
from monitors.drift.fitting import fit_embeddings

REFERENCE = 1000
MISSED = 3000
"""Events after which a drift counts as missed; a missed one's delay counts as this."""
_PER_REFERENCE = 4
PATIENCE = 10
"""How many average run lengths a stream without drift is followed."""
_TIMED = 4000
_BLOCK = 50
_RESTARTS = 37
_DRAWS = 1000

Show = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Measured:
    """Run lengths by stream, grouped by the reference they were measured with.

    Attributes:
        lengths: Shape (references, streams); 0 where no alarm came.
        most: How many events those without an alarm were followed.
    """

    lengths: Steps
    most: int

    def average_run_length(self) -> dict[str, Any]:
        """Return the mean run length: events seen by alarms raised, None if there are none."""
        steps = np.where(self.lengths == 0, self.most, self.lengths).sum(axis=1)
        alarms = (self.lengths > 0).sum(axis=1)
        drawn = _drawn(len(steps))
        found = steps[drawn].sum(axis=1) / np.maximum(1, alarms[drawn].sum(axis=1))
        return {
            "mean": round(float(steps.sum() / alarms.sum()), 1) if alarms.any() else None,
            "ci95": _interval(found),
            "streams": self.lengths.size,
            "without_alarm": int((self.lengths == 0).sum()),
        }

    def delay(self) -> dict[str, Any]:
        """Return mean and 90 % quantile of the delay, and the mean's interval."""
        delays = np.where(self.lengths == 0, MISSED, self.lengths)
        means = delays.mean(axis=1)
        return {
            "mean": round(float(means.mean()), 1),
            "ci95": _interval(means[_drawn(len(means))].mean(axis=1)),
            "p90": int(np.quantile(delays, 0.9, method="inverted_cdf")),
            "streams": self.lengths.size,
        }

    @property
    def misses(self) -> int:
        """On how many streams no alarm came."""
        return int((self.lengths == 0).sum())


def evaluate(
    folder: Path, cache: Path, show: Show, *, arl: float, streams: int, sticky: float, part: Part
) -> tuple[dict[str, Any], Pools]:
    """Return what is known of the detector on the texts in ``folder``, and those texts.

    Every four streams have a reference of their own; intervals are over references.

    Args:
        folder: Holds ``banking77.jsonl`` and ``clinc150.jsonl``.
        cache: Where vectors are kept.
        show: Is told what is going on, how much of it is done, of how much.
        arl: The average run length that the detector is calibrated to.
        streams: How many streams there are without drift, and of each kind of drift.
        sticky: The chance that the next event keeps the intent, in references and streams.
        part: The half of the texts that streams are drawn from; references are from the other.

    Raises:
        ConfigError: If a file cannot be used.
    """
    pools = read_pools(folder, part, cache, show)
    each = min(_PER_REFERENCE, streams)
    references = -(-streams // each)
    most = {None: int(PATIENCE * arl)} | dict.fromkeys(KINDS, MISSED)
    lengths: dict[str | None, list[Steps]] = {kind: [] for kind in most}
    fit_s, promised, reference = [], [], None
    told = Told()
    for number in range(references):
        show("streams", number, references)
        rng = np.random.default_rng(number)
        rows = reference_rows(pools, min(REFERENCE, len(pools.reference)), rng, sticky)
        began_s = time.process_time()
        reference = fit_embeddings(
            pools.reference[rows], arl, topics=pools.intents[rows].tolist(), seed=number
        )
        fit_s.append(time.process_time() - began_s)
        promised.append(reference.promise.kept)
        seen = reference.space.features(pools.texts)
        for kind, until in most.items():
            stream = events(pools, kind, each, rng, sticky)
            lead = 0 if kind is None else LEAD
            lengths[kind].append(run_lengths(reference, seen, stream, each, until, lead))
        if not sticky:
            told.judge(reference, pools, number)
    show("streams", references, references)
    assert reference is not None
    measured = {kind: Measured(np.array(found), most[kind]) for kind, found in lengths.items()}
    usual = measured[None].average_run_length()
    return {
        "task": "drift",
        "part": part,
        "sticky": sticky,
        "references": references,
        "reference_texts": min(REFERENCE, len(pools.reference)),
        "arl_target": arl,
        "arl0": usual.pop("mean"),
        "arl0_of": usual,
        "promised": round(float(np.mean(promised)), 4),
        "promise": reference.promise.reason or "kept",
        "delays": {kind: measured[kind].delay() for kind in KINDS},
        "misses": {kind: measured[kind].misses for kind in KINDS},
        "told": told.report() if told.events else None,
        "fit_s": round(float(np.median(fit_s)), 4),
        **_one_by_one(reference, pools, sticky),
        "reference_bytes": _size(reference),
        "kinds": KINDS,
    }, pools


def _one_by_one(reference: EmbeddingReference, pools: Pools, sticky: float) -> dict[str, Any]:
    """Return time and state of the detector as a stream meets it, and what a restart changes."""
    rng = np.random.default_rng(0)
    usual = Usual.of(pools.labels, sticky)
    rows = rng.integers(0, pools.usual, 1)
    texts = []
    for _ in range(_TIMED):
        texts.append(pools.texts[rows[0]])
        rows = usual.after(rng, rows)
    texts += list(pools.texts[pools.usual : pools.usual + pools.other][:_BLOCK])
    detector, took_s = EmbeddingDrift(reference), []
    alarms = []
    for start in range(0, len(texts), _BLOCK):
        began_s = time.thread_time()
        alarms += [detector.update(vector) for vector in texts[start : start + _BLOCK]]
        took_s.append((time.thread_time() - began_s) / _BLOCK)
    again, repeated = EmbeddingDrift(reference), []
    for number, vector in enumerate(texts):
        if number % _RESTARTS == 0:
            stored = orjson.dumps(again.snapshot())
            again = EmbeddingDrift(reference)
            again.restore(orjson.loads(stored))
        repeated.append(again.update(vector))
    return {
        "update_us": round(float(np.median(took_s)) * 1e6, 1),
        "update_us_p99": round(float(np.quantile(took_s, 0.99)) * 1e6, 1),
        "state_bytes": len(orjson.dumps(detector.snapshot())),
        "restored_alarms_identical": alarms == repeated,
        "alarms_compared": sum(alarm is not None for alarm in alarms),
    }


def _size(reference: EmbeddingReference) -> int:
    arrays = [value for value in vars(reference.space).values() if isinstance(value, np.ndarray)]
    return sum(array.nbytes for array in (*arrays, reference.places))


def _drawn(many: int) -> npt.NDArray[np.intp]:
    """Return groups drawn again, for intervals; the same for the same number of groups.

    References:
        B. Efron, "Bootstrap methods: another look at the jackknife", Annals of Statistics 7 (1979).
    """
    return np.random.default_rng(0).integers(0, many, (_DRAWS, many))


def _interval(found: npt.NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.quantile(found, [0.025, 0.975])
    return round(float(low), 1), round(float(high), 1)
