"""Runs alibi-detect's online detectors on prepared streams; a program of its own.

``python alibi_worker.py IN.npz DETECTOR ARL``, with the interpreter of the environment that
``make alibi`` makes: alibi-detect needs a numpy that nothing else here runs with, so this file
imports nothing of ours. Prints one line of JSON per reference: seconds of processor time to fit,
microseconds an update, run lengths by kind (0 where no alarm came), bytes of state.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import numpy as np

_WINDOW = 50
_BOOTSTRAPS = {"MMDDriftOnline": 5000, "LSDDDriftOnline": 5000}


def main(path: str, name: str, arl: float) -> None:
    """Fit the detector called ``name`` on each reference and run it on its streams."""
    import alibi_detect.cd

    given = np.load(path)
    kinds = sorted(key.removeprefix("rows_") for key in given.files if key.startswith("rows_"))
    texts, lead = given["texts"], int(given["lead"])
    for number, reference in enumerate(given["references"]):
        began_s = time.process_time()
        detector = getattr(alibi_detect.cd, name)(
            reference,
            ert=arl,
            window_size=_WINDOW,
            backend="pytorch",
            n_bootstraps=_BOOTSTRAPS[name],
            device="cpu",
            verbose=False,
        )
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


def _run(detector: Any, texts: Any, rows: Any, lead: int) -> tuple[int, int]:
    """Return how many events after the lead the first alarm came, and events read."""
    detector.reset_state()
    for step, row in enumerate(rows):
        if detector.predict(texts[row], return_test_stat=False)["data"]["is_drift"]:
            if step >= lead:
                return step - lead + 1, step + 1
            detector.reset_state()
    return 0, len(rows)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]))
