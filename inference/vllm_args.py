"""The ``engine_args`` of a vLLM pool: what we choose, what an operator may choose instead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from schemas.errors import ConfigError

CPU_CONTEXT_TOKENS = 2048
CPU_KV_CACHE_BYTES = 512 << 20

OURS = {
    "model": "the pool's own `model` says it",
    "tokenizer": "it is the model's own",
    "enable_log_requests": "prompts are never logged",
    "disable_log_stats": "queue times come from them",
    "skip_tokenizer_init": "answers need the tokenizer",
}


def vllm_args(
    written: Mapping[str, Any],
    *,
    folder: str,
    known: Iterable[str],
    on_cpu: bool,
    dtype: str,
    most_tokens: int | None,
    max_in_flight: int,
) -> dict[str, Any]:
    """Return the arguments for vLLM: the machine's defaults, then what people wrote.

    Args:
        written: The pool's ``engine_args``.
        folder: Where the model lies.
        known: The names of all arguments that this vLLM takes.
        on_cpu: Whether it computes on the CPU.
        dtype: The number format for this machine.
        most_tokens: The longest context the model was made for, if its config says so.
        max_in_flight: Requests the pool keeps in flight.

    Raises:
        ConfigError: Naming the key that is unknown or not to be set.
    """
    taken = set(known)
    for key in written:
        if key in OURS:
            raise ConfigError(f"is not to be set: {OURS[key]}", key=f"engine_args.{key}")
        if key not in taken:
            raise ConfigError("vLLM has no such argument", key=f"engine_args.{key}")
    chosen: dict[str, Any] = {
        "dtype": dtype,
        "max_num_seqs": max_in_flight,
        "enable_prefix_caching": True,
    }
    if on_cpu:
        chosen |= {
            "enforce_eager": True,
            "max_model_len": min(most_tokens or CPU_CONTEXT_TOKENS, CPU_CONTEXT_TOKENS),
            "kv_cache_memory_bytes": CPU_KV_CACHE_BYTES,
        }
    return chosen | dict(written) | {"model": folder, "disable_log_stats": False}
