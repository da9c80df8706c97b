"""How seldom a process that handles events looks for cyclic garbage."""

from __future__ import annotations

import gc


def collect_seldom() -> None:
    """Let the search for cyclic garbage pass over what is loaded, and be rarer than by default.

    An event makes hundreds of objects that die by themselves and next to no cycle; looking for one
    every 700 objects took a fifth of the gate's time.
    """
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
