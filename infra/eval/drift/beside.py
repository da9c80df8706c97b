"""Other detectors on the same references and streams: river's, and alibi-detect's online ones."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt

from infra.alibi.fitting import Name
from infra.alibi.start import interpreter, surroundings
from infra.eval.drift.evaluate import MISSED, PATIENCE, REFERENCE, Measured, Show
from infra.eval.drift.kinds import KINDS, LEAD, Rows, events, reference_rows
from infra.eval.drift.pools import Pools
from infra.vectors import Floats
from monitors.drift.embedding import NEIGHBOURS
from schemas.errors import ConfigError

ARL = 500.0
REFERENCES, STREAMS = 5, 20
_NONE = "none"

Speaks = Callable[[float], bool]
"""Takes in one value and returns whether the detector speaks."""

_OF_ALIBI: dict[Name, str] = {"mmd": "MMDDriftOnline", "lsdd": "LSDDDriftOnline"}
_MOST = {_NONE: int(PATIENCE * ARL)} | dict.fromkeys(KINDS, LEAD + MISSED)


def judge_others(pools: Pools, show: Show) -> dict[str, Any]:
    """Return what other detectors show on five references with twenty streams each, at ARL 500.

    What cannot run here is named with the reason. River's read the distance of a text to its
    nearest neighbours in the reference; alibi-detect's read its vector.

    Args:
        pools: The texts.
        show: Is told what is going on, how much of it is done, of how much.
    """
    references, streams = [], []
    for number in range(REFERENCES):
        rng = np.random.default_rng(10_000 + number)
        references.append(
            pools.reference[reference_rows(pools, min(REFERENCE, len(pools.reference)), rng)]
        )
        streams.append(
            {
                kind: _drawn(events(pools, None if kind == _NONE else kind, STREAMS, rng), most)
                for kind, most in _MOST.items()
            }
        )
    return _river(pools, references, streams, show) | _alibi(pools, references, streams, show)


def _drawn(stream: Iterator[Rows], most: int) -> Rows:
    """Return the first ``most`` events of every stream, shape (streams, events)."""
    return np.array(list(islice(stream, most))).T


def _river(
    pools: Pools, references: Sequence[Floats], streams: Sequence[dict[str, Rows]], show: Show
) -> dict[str, Any]:
    """Return what river's detectors show, as they come and calibrated to the same run length."""
    try:
        from infra.eval.drift import rivers
    except ImportError:
        return {"river": {"left_out": "river is not installed"}}
    judged: dict[str, list[dict[str, Any]]] = {}
    for number, (reference, rows) in enumerate(zip(references, streams, strict=True)):
        likeness = reference @ reference.T
        np.fill_diagonal(likeness, -2)
        usual = _distance(likeness)
        values = _distance(pools.texts @ reference.T)
        show("river", number, REFERENCES)
        for name, make in rivers.UNTOUCHED.items():
            speaker = partial(rivers.speaking, make)
            judged.setdefault(f"river {name}", []).append(_judged(speaker, values, rows, 0.0))
        for name, kind in rivers.KINDS.items():
            began_s = time.process_time()
            fitted = rivers.RiverDrift(kind, usual, ARL)
            fit_s = time.process_time() - began_s
            judged.setdefault(f"river {name}, calibrated", []).append(
                _judged(fitted.speaking, values, rows, fit_s)
            )
    show("river", REFERENCES, REFERENCES)
    return {name: _summary(found) for name, found in judged.items()}


def _distance(likeness: Floats) -> npt.NDArray[np.float64]:
    """Return the mean distance to the nearest neighbours; ``likeness`` is (texts, reference)."""
    nearest = np.partition(likeness, likeness.shape[1] - NEIGHBOURS, axis=1)[:, -NEIGHBOURS:]
    distance: npt.NDArray[np.float64] = 1 - nearest.mean(axis=1).astype(np.float64)
    return distance


def _judged(
    make: Callable[[], Speaks], values: npt.NDArray[np.float64], rows: dict[str, Rows], fit_s: float
) -> dict[str, Any]:
    """Return run lengths by kind, and what an update took."""
    lengths: dict[str, list[int]] = {kind: [] for kind in rows}
    began_s, updates = time.process_time(), 0
    for kind, streams in rows.items():
        lead = 0 if kind == _NONE else LEAD
        for stream in streams:
            speaks, length = make(), 0
            for step, value in enumerate(values[stream].tolist(), 1):
                updates += 1
                if not speaks(value):
                    continue
                if step > lead:
                    length = step - lead
                    break
                speaks = make()
            lengths[kind].append(length)
    took_s = time.process_time() - began_s
    return {"fit_s": fit_s, "update_us": took_s / updates * 1e6, "lengths": lengths}


def _alibi(
    pools: Pools, references: Sequence[Floats], streams: Sequence[dict[str, Rows]], show: Show
) -> dict[str, Any]:
    try:
        python = interpreter()
    except ConfigError as error:
        return {"alibi-detect": {"left_out": str(error)}}
    found: dict[str, Any] = {}
    with TemporaryDirectory() as folder:
        path = Path(folder) / "given.npz"
        rows = {f"rows_{kind}": np.array([s[kind] for s in streams], np.int32) for kind in _MOST}
        np.savez(path, references=np.array(references), texts=pools.texts, lead=LEAD, **rows)  # type: ignore[arg-type]
        for name, title in _OF_ALIBI.items():
            command = [str(python), "-P", "-m", "infra.eval.drift.alibi_worker"]
            command += [str(path), name, str(ARL)]
            found[f"alibi-detect {title}"] = _worked(title, command, path, show)
    return found


def _worked(title: str, command: Sequence[str], path: Path, show: Show) -> dict[str, Any]:
    """Return what ``command`` shows on the streams in ``path``."""
    judged = []
    complaint = path.with_suffix(".err")
    with (
        complaint.open("w") as errors,
        subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=surroundings(os.environ),
        ) as worker,
    ):
        assert worker.stdout is not None
        for line in worker.stdout:
            judged.append(json.loads(line))
            show(title, len(judged), REFERENCES)
    if worker.returncode:
        return {"left_out": complaint.read_text().strip().rpartition("\n")[2][-200:]}
    return _summary(judged) | {"licence": "BSL 1.1: not free of charge in production"}


def _summary(judged: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the figures of one detector over all references."""
    measured = {
        kind: Measured(np.array([one["lengths"][kind] for one in judged]), most)
        for kind, most in _MOST.items()
    }
    usual = measured[_NONE].average_run_length()
    return {
        "arl0": usual.pop("mean"),
        "arl0_of": usual,
        "delays": {kind: measured[kind].delay() for kind in KINDS},
        "misses": {kind: measured[kind].misses for kind in KINDS},
        "fit_s": round(float(np.median([one["fit_s"] for one in judged])), 3),
        "update_us": round(float(np.median([one["update_us"] for one in judged])), 2),
    }
