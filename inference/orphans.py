"""No model engine outlives the process that started it."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
_INIT_PID = 1
_SPAWNED = "--multiprocessing-fork"


def end_with_parent() -> None:
    """Make the kernel kill this process when the thread that started it ends; Linux only."""
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() == _INIT_PID:
        os._exit(1)


def end_spawned_with_parent() -> None:
    """Call this at import of a main module: in a spawned child it does :func:`end_with_parent`.

    A child that multiprocessing spawns imports the main module again. vLLM's engine processes are
    such children: after a ``kill -9`` of their parent they would keep the memory and a core.
    """
    if _SPAWNED in sys.orig_argv:
        end_with_parent()
