"""Run lengths of the embedding detector on many streams at once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from infra.eval.drift.kinds import Rows
from monitors.drift.embedding import EmbeddingReference, Features, advance, levels

Steps = npt.NDArray[np.intp]


def run_lengths(
    reference: EmbeddingReference,
    seen: Features,
    events: Iterator[Rows],
    streams: int,
    most: int,
    lead: int = 0,
) -> Steps:
    """Return for each stream how many events after the lead its first alarm came; 0 for none.

    An alarm makes a stream's charts start afresh, in the lead as well.

    Args:
        reference: What the detector was fitted on.
        seen: What the charts see of each text of the pools.
        events: The next event of every stream, as rows of the pools' texts.
        streams: How many streams there are.
        most: Events after the lead at which it ends.
        lead: Events in the beginning whose alarms do not count.
    """
    mix = np.zeros((streams, seen.mix.shape[1]), np.float32)
    strange = np.zeros(streams, np.float32)
    found = np.zeros(streams, np.intp)
    most_mix, most_strange = reference.limits
    for step, rows in zip(range(lead + most), events, strict=False):
        mix, strange = advance(mix, strange, seen[rows])
        of_mix, of_strange = levels(mix, strange)
        alarm = (of_mix > most_mix) | (of_strange > most_strange)
        if not alarm.any():
            continue
        mix[alarm], strange[alarm] = 0, 0
        if step >= lead:
            found[alarm & (found == 0)] = step - lead + 1
            if found.all():
                break
    return found
