"""vLLM behind the engine protocol, on CPU or GPU: continuous batching of many streams."""

from __future__ import annotations

import itertools
import json
import os
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import fields
from pathlib import Path
from typing import Any, Literal

from inference.chat import Chat, load_tokenizer
from inference.dtype import cpu_dtype, gpu_dtype
from inference.engine import Chunk, Generation, Summary
from inference.vllm_args import vllm_args
from inference.warmup import warm_up
from schemas.errors import ConfigError, EngineUnavailable
from schemas.requests import Sampling, Usage

_REASONS: dict[str, Literal["stop", "length", "abort"]] = {
    "stop": "stop",
    "repetition": "stop",
    "length": "length",
    "abort": "abort",
}


class VllmEngine:
    """One model on vLLM's ``AsyncLLM``.

    vLLM is imported by :meth:`start`, which takes tens of seconds on a CPU and holds the event loop
    for most of them. The engine's processes are children of the thread that starts it.

    Args:
        model: The name it goes by.
        folder: Where the model lies.
        args: The pool's ``engine_args``.
        max_in_flight: Requests the pool keeps in flight.

    Attributes:
        start_s: Seconds that :meth:`start` took; 0 before.
        warm_up: What the first answer took, part of ``start_s``.
    """

    name = "vllm"

    def __init__(
        self, *, model: str, folder: Path, args: Mapping[str, Any], max_in_flight: int
    ) -> None:
        self.model = model
        self.context_tokens = 0
        self.start_s = 0.0
        self.warm_up: Summary | None = None
        self._folder = folder
        self._args = args
        self._max_in_flight = max_in_flight
        self._llm: Any = None
        self._chat: Chat | None = None
        self._flying: set[str] = set()
        self._serial = itertools.count()

    async def start(self) -> None:
        """Load the model and answer one request, so that the next one is fast.

        Raises:
            ConfigError: If the model or an argument is wrong.
            EngineUnavailable: If the engine does not come up.
        """
        began = time.perf_counter()
        tokenizer = load_tokenizer(self._folder)
        self._llm = start_async_llm(self._folder, self._args, self._max_in_flight)
        self.context_tokens = self._llm.model_config.max_model_len
        self._chat = Chat(tokenizer, self.context_tokens)
        try:
            self.warm_up = await warm_up(self)
        except EngineUnavailable:
            await self.stop()
            raise
        self.start_s = time.perf_counter() - began

    async def generate(self, generation: Generation) -> AsyncGenerator[Chunk, None]:
        """Stream the answer; closing the iterator, or cancelling its reader, aborts it.

        Raises:
            PromptTooLarge: If prompt and ``max_tokens`` exceed ``context_tokens``.
            PoisonError: If the model's chat template refuses the conversation.
            EngineUnavailable: If the engine is not started, or died.
        """
        from vllm.v1.engine.exceptions import EngineDeadError, EngineGenerateError

        if self._llm is None or self._chat is None:
            raise EngineUnavailable("vLLM is not started")
        began = time.perf_counter()
        prompt = await self._chat.encode(generation)
        flight = f"{next(self._serial)}-{generation.request_id}"
        params = sampling_params(generation.sampling)
        self._flying.add(flight)
        tokens, first = 0, None
        stream = self._llm.generate(engine_input(prompt), params, flight)
        try:
            async with aclosing(stream) as outputs:
                async for output in outputs:
                    # What stands here is done for every token of every request.
                    piece = output.outputs[0]
                    tokens += len(piece.token_ids)
                    if first is None and tokens:
                        first = time.perf_counter()
                    if output.finished:
                        yield Chunk(piece.text, _summary(output, len(prompt), tokens, began, first))
                    elif piece.text:
                        yield Chunk(piece.text, None, len(prompt), tokens)
        except EngineDeadError as error:
            raise EngineUnavailable("vLLM's engine process died") from error
        except EngineGenerateError as error:
            raise EngineUnavailable("vLLM failed on a request") from error
        finally:
            self._flying.discard(flight)

    async def stop(self) -> None:
        """Abort what is in flight and give the memory back; a second call does nothing."""
        llm, self._llm = self._llm, None
        if llm is None:
            return
        await llm.abort(list(self._flying))
        llm.shutdown()


def start_async_llm(folder: Path, args: Mapping[str, Any], max_in_flight: int) -> Any:
    """Return a running ``AsyncLLM`` with the arguments our engine gives it.

    Raises:
        ConfigError: If the model or an argument is wrong.
        EngineUnavailable: If it does not come up.
    """
    from vllm.engine.arg_utils import AsyncEngineArgs
    from vllm.platforms import current_platform
    from vllm.v1.engine.async_llm import AsyncLLM

    on_cpu = bool(current_platform.is_cpu())
    if on_cpu:
        # vLLM's processes would compile a line of the sampler, which takes a C++ compiler.
        os.environ.setdefault("TORCHDYNAMO_DISABLE", "1")
    capability = None if on_cpu else current_platform.get_device_capability()
    arguments = vllm_args(
        args,
        folder=str(folder),
        config=_config(folder),
        known=[field.name for field in fields(AsyncEngineArgs)],
        on_cpu=on_cpu,
        dtype=gpu_dtype(tuple(capability)) if capability else cpu_dtype(),
        max_in_flight=max_in_flight,
    )
    try:
        return AsyncLLM.from_engine_args(AsyncEngineArgs(**arguments))
    except (RuntimeError, TimeoutError) as error:
        raise EngineUnavailable(f"vLLM does not come up: {error}") from error
    except (ValueError, TypeError, OSError) as error:
        raise ConfigError(f"vLLM refuses the model or an argument: {error}") from error


def engine_input(prompt: Sequence[int]) -> dict[str, Any]:
    """Return token ids as vLLM takes them without any further preparation."""
    return {"type": "token", "prompt_token_ids": list(prompt)}


def sampling_params(sampling: Sampling) -> Any:
    """Return vLLM's parameters for ``sampling``: streamed in pieces, with log-probabilities."""
    from vllm.sampling_params import RequestOutputKind, SamplingParams

    return SamplingParams(
        max_tokens=sampling.max_tokens,
        temperature=sampling.temperature,
        top_p=sampling.top_p,
        seed=sampling.seed if sampling.temperature > 0 else None,
        stop=list(sampling.stop) or None,
        logprobs=0,
        output_kind=RequestOutputKind.DELTA,
    )


def _summary(
    output: Any, prompt_tokens: int, tokens: int, began: float, first: float | None
) -> Summary:
    now = time.perf_counter()
    piece = output.outputs[0]
    if piece.finish_reason not in _REASONS:
        raise EngineUnavailable(f"vLLM ended a request with {piece.finish_reason!r}")
    total = piece.cumulative_logprob
    return Summary(
        finish_reason=_REASONS[piece.finish_reason],
        usage=Usage(
            prompt_tokens=prompt_tokens,
            completion_tokens=tokens,
            cached_tokens=output.num_cached_tokens or 0,
        ),
        queue_s=_queue_s(output.metrics),
        ttft_s=None if first is None else first - began,
        tpot_s=None if first is None or tokens < 2 else (now - first) / (tokens - 1),
        mean_logprob=total / tokens if total is not None and tokens else None,
    )


def _queue_s(metrics: Any) -> float:
    """Return the seconds between arrival in the engine and its first turn."""
    if metrics is None or not metrics.scheduled_ts:
        return 0.0
    return max(0.0, float(metrics.scheduled_ts - metrics.queued_ts))


def _config(folder: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((folder / "config.json").read_text())
    except (OSError, ValueError) as error:
        raise ConfigError("is no readable JSON", file=str(folder / "config.json")) from error
    return found
