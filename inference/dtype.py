"""Which number format a machine computes fastest."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

Dtype = Literal["bfloat16", "float16", "float32"]

_BFLOAT16_FLAGS = frozenset({"amx_bf16", "avx512_bf16", "bf16"})
_AMPERE = (8, 0)


def cpu_dtype(flags: frozenset[str] | None = None) -> Dtype:
    """Return the format for a CPU with these ``flags``, or for this one.

    Without instructions for it, bfloat16 is emulated and several times slower than float32.

    >>> cpu_dtype(frozenset({"avx2", "avx512_bf16"}))
    'bfloat16'
    >>> cpu_dtype(frozenset({"avx2"}))
    'float32'
    """
    able = cpu_flags() if flags is None else flags
    return "bfloat16" if able & _BFLOAT16_FLAGS else "float32"


def gpu_dtype(capability: tuple[int, ...]) -> Dtype:
    """Return the format for a CUDA device of this compute ``capability``.

    >>> gpu_dtype((7, 5))
    'float16'
    """
    return "bfloat16" if capability >= _AMPERE else "float16"


def cpu_flags(cpuinfo: Path = Path("/proc/cpuinfo")) -> frozenset[str]:
    """Return what this CPU can do; nothing where the system does not say."""
    if not cpuinfo.exists():
        return frozenset()
    for line in cpuinfo.read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() in ("flags", "Features"):
            return frozenset(value.split())
    return frozenset()
