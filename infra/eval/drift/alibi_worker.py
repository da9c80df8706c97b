"""Runs one of alibi-detect's online detectors on prepared streams; a program of its own.

``python -m infra.eval.drift.alibi_worker IN.npz DETECTOR ARL``, in the environment that ``make
alibi`` makes. Prints one line of JSON per reference: seconds of processor time to fit,
microseconds an update, run lengths by kind (0 where no alarm came).
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any, cast

import numpy as np

from infra.alibi.fitting import Floats, Name, Online, fit, update


def main(path: Path, name: Name, arl: float) -> None:
    """Fit the detector called ``name`` on each reference and run it on its streams."""
    given = np.load(path)
    kinds = sorted(key.removeprefix("rows_") for key in given.files if key.startswith("rows_"))
    texts, lead = given["texts"], int(given["lead"])
    for number, reference in enumerate(given["references"]):
        began_s = time.process_time()
        detector = fit(name, reference, arl, seed=number)
        fit_s = time.process_time() - began_s
        lengths: dict[str, list[int]] = {}
        began_s, updates = time.process_time(), 0
        for kind in kinds:
            lengths[kind] = []
            for rows in given[f"rows_{kind}"][number]:
                length, seen = _run(detector, texts, rows, 0 if kind == "none" else lead)
                lengths[kind].append(length)
                updates += seen
        update_us = (time.process_time() - began_s) / updates * 1e6
        found = {"fit_s": fit_s, "update_us": update_us, "lengths": lengths}
        print(json.dumps(found), flush=True)


def _run(detector: Online, texts: Floats, rows: Any, lead: int) -> tuple[int, int]:
    """Return how many events after the lead the first alarm came, and events read."""
    detector.reset_state()
    for step, row in enumerate(rows):
        value, limit = update(detector, texts[row])
        if value > limit:
            if step >= lead:
                return step - lead + 1, step + 1
            detector.reset_state()
    return 0, len(rows)


if __name__ == "__main__":
    main(Path(sys.argv[1]), cast("Name", sys.argv[2]), float(sys.argv[3]))
