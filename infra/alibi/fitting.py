"""Fits alibi-detect's online detectors; the one file that imports alibi-detect."""

from __future__ import annotations

from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Name = Literal["mmd", "lsdd"]

WINDOW = 50
"""Texts that are compared with the reference at a time."""
_BOOTSTRAPS_PER_TEXT = 10


class Online(Protocol):
    """What is used of alibi-detect's online detectors; between restarts, a window is its state."""

    t: int

    def score(self, x_t: Floats) -> float:
        """Take in one vector, shape (width,), and return how far the window lies."""
        ...

    def get_threshold(self, t: int) -> float:
        """Return what is too far after ``t`` vectors."""
        ...

    def reset_state(self) -> None:
        """Begin again with the same reference."""
        ...


def fit(name: Name, reference: Floats, arl: float, seed: int) -> Online:
    """Return a detector that speaks every ``arl`` texts while nothing changes.

    It takes processor time in proportion to ``arl``: at 500, for 1,000 texts, about half a minute
    (MMD) or two (LSDD).

    Args:
        name: Which one.
        reference: Vectors that are usual, shape (texts, width).
        arl: Texts between false alarms, on average.
        seed: The same seed, the same detector.
    """
    import torch
    from alibi_detect.cd.pytorch.lsdd_online import LSDDDriftOnlineTorch
    from alibi_detect.cd.pytorch.mmd_online import MMDDriftOnlineTorch

    torch.manual_seed(seed)
    np.random.seed(seed)  # alibi-detect draws from the global state
    make = {"mmd": MMDDriftOnlineTorch, "lsdd": LSDDDriftOnlineTorch}[name]
    detector: Online = make(
        reference,
        ert=arl,
        window_size=WINDOW,
        n_bootstraps=int(_BOOTSTRAPS_PER_TEXT * arl),
        device="cpu",
        verbose=False,
    )
    return detector


def update(detector: Online, vector: Floats) -> tuple[float, float]:
    """Take in one vector and return how far the window lies, and the limit for that.

    What ``predict`` of alibi-detect does, without the lists of all values that it keeps.
    """
    value = float(detector.score(vector))
    return value, float(detector.get_threshold(detector.t))
