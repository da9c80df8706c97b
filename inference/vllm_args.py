"""The ``engine_args`` of a vLLM pool: what we choose, what an operator may choose instead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from schemas.errors import ConfigError

CPU_CONTEXT_TOKENS = 2048
ORDINARY_TOKENS = 256
"""What an ordinary prompt and its answer take together."""
_KV_BYTES_LEAST = 64 << 20
_KV_BYTES_UNKNOWN = 1 << 30
_DTYPE_BYTES = {"float32": 4}

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
    config: Mapping[str, Any],
    known: Iterable[str],
    on_cpu: bool,
    dtype: str,
    max_in_flight: int,
) -> dict[str, Any]:
    """Return the arguments for vLLM: the machine's defaults, then what people wrote.

    Args:
        written: The pool's ``engine_args``.
        folder: Where the model lies.
        config: The model's config.json.
        known: The names of all arguments that this vLLM takes.
        on_cpu: Whether it computes on the CPU.
        dtype: The number format for this machine.
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
        most = config.get("max_position_embeddings") or CPU_CONTEXT_TOKENS
        chosen |= {"enforce_eager": True, "max_model_len": min(most, CPU_CONTEXT_TOKENS)}
    chosen |= written
    if on_cpu and "kv_cache_memory_bytes" not in chosen:
        chosen["kv_cache_memory_bytes"] = kv_cache_bytes(
            config, str(chosen["dtype"]), int(chosen["max_model_len"]), max_in_flight
        )
    return chosen | {"model": folder, "disable_log_stats": False}


def kv_cache_bytes(
    config: Mapping[str, Any], dtype: str, context_tokens: int, max_in_flight: int
) -> int:
    """Return the memory for keys and values: two full contexts, or as many ordinary requests.

    >>> config = {"num_hidden_layers": 30, "num_attention_heads": 9, "num_key_value_heads": 3}
    >>> kv_cache_bytes({**config, "hidden_size": 576}, "bfloat16", 2048, 32) >> 20
    180
    """
    layers, heads = config.get("num_hidden_layers"), config.get("num_attention_heads")
    width = config.get("hidden_size")
    if not (layers and heads and width):
        return _KV_BYTES_UNKNOWN
    values = 2 * layers * (config.get("num_key_value_heads") or heads)
    values *= config.get("head_dim") or width // heads
    tokens = max(2 * context_tokens, ORDINARY_TOKENS * max_in_flight)
    return max(_KV_BYTES_LEAST, int(values) * _DTYPE_BYTES.get(dtype, 2) * tokens)
