"""What memory the parts of the system take, each with everything it started."""

from __future__ import annotations

import os
from collections import Counter
from contextlib import suppress
from pathlib import Path

from infra.state import State


def memory_bytes(state: State) -> dict[str, int]:
    """Return the proportional set size of each part's session, by name, in bytes.

    Memory that several processes share is split between them, so the sum is what all take.
    """
    names = {part.pid: part.name for part in state.parts if part.pid}
    found: Counter[str] = Counter({"supervisor": _pss_bytes(state.pid)})
    for process in Path("/proc").glob("[0-9]*"):
        pid = int(process.name)
        with suppress(ProcessLookupError, PermissionError):
            if name := names.get(os.getsid(pid)):
                found[name] += _pss_bytes(pid)
    return dict(found)


def _pss_bytes(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        # It ended meanwhile.
        return 0
    return 0
