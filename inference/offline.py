"""What a process must be told before it imports a model library."""

from __future__ import annotations

from collections.abc import MutableMapping


def be_discreet(environ: MutableMapping[str, str], *, hub: bool = False) -> None:
    """Stop model libraries from calling home, and vLLM from logging what it serves.

    Call it with ``os.environ`` before the first of them is imported: they read it once.

    Args:
        environ: The environment to change; what it says of vLLM's log level is kept.
        hub: Whether models may be fetched from a hub.
    """
    environ.update(
        DO_NOT_TRACK="1",
        VLLM_NO_USAGE_STATS="1",
        VLLM_DO_NOT_TRACK="1",
        HF_HUB_DISABLE_TELEMETRY="1",
        HF_HUB_DISABLE_PROGRESS_BARS="1",
        TOKENIZERS_PARALLELISM="false",
        VLLM_LOGGING_STREAM="ext://sys.stderr",
        VLLM_LOGGING_COLOR="0",
        VLLM_WORKER_MULTIPROCESSING_METHOD="spawn",
    )
    environ.setdefault("VLLM_LOGGING_LEVEL", "WARNING")
    environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        if hub:
            environ.pop(name, None)
        else:
            environ[name] = "1"
