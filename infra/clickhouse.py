"""The ClickHouse programs that the chdb wheel holds, each run as a process of its own.

``python -m infra.clickhouse server --config-file=...`` *is* clickhouse-server, and ``client`` is
clickhouse-client: the wheel's library has the entry points of the whole of ClickHouse.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from schemas.errors import ConfigError

_ENTRY = {
    "server": "_Z25mainEntryClickHouseServeriPPc",
    "client": "_Z25mainEntryClickHouseClientiPPc",
}


def command(program: str, *arguments: str) -> list[str]:
    """Return the command line that runs ``server`` or ``client`` with ``arguments``."""
    return [sys.executable, "-m", "infra.clickhouse", program, *arguments]


def library() -> Path:
    """Return the library, without loading it.

    Raises:
        ConfigError: If the wheel is not installed, or holds no library for this machine.
    """
    spec = importlib.util.find_spec("chdb")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        for path in sorted(Path(folder).glob("_chdb*.so")):
            return path
    raise ConfigError("ClickHouse is not installed; the package chdb==3.7.2 holds it")


def run(program: str, arguments: Sequence[str]) -> int:
    """Become ``program`` and return its exit code.

    Raises:
        ConfigError: If the library has no such program.
    """
    try:
        entry = getattr(ctypes.CDLL(str(library())), _ENTRY[program])
    except AttributeError as error:
        raise ConfigError(
            f"this chdb does not hold clickhouse-{program}; install chdb==3.7.2"
        ) from error
    words = [f"clickhouse-{program}", *arguments]
    argv = (ctypes.c_char_p * (len(words) + 1))(*(os.fsencode(word) for word in words), None)
    return int(entry(len(words), argv))


if __name__ == "__main__":
    sys.exit(run(sys.argv[1], sys.argv[2:]))
