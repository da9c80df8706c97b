"""How many tokens a second an engine writes, ours and a bare ``AsyncLLM`` beside it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inference.build import build_engine
from inference.chat import Chat, load_tokenizer
from inference.engine import Engine, Generation
from inference.models import resolve_model
from schemas.errors import ConfigError
from schemas.registry import Pool
from schemas.requests import Message, Sampling


@dataclass(frozen=True)
class Result:
    """Tokens written in steady state.

    Args:
        tokens_per_s: Tokens of the counted answers by the seconds they took together.
        tokens: Tokens counted.
        requests: Answers counted.
        seconds: From the end of the last skipped answer to the end of the last one.
        start_s: Seconds the engine took to be ready.
        cpu_s: Processor seconds of this process alone while the counted answers were made.
    """

    tokens_per_s: float
    tokens: int
    requests: int
    seconds: float
    start_s: float
    cpu_s: float = 0.0


async def bare_tokens_per_s(
    pool: Pool,
    prompts: Sequence[str],
    *,
    max_tokens: int,
    concurrency: int,
    skip_first: int,
    cache: Path,
) -> Result:
    """Return the speed of vLLM by itself, with the arguments that our engine gives it.

    Args:
        pool: A pool of the engine ``vllm``.
        prompts: What to answer, in this order.
        max_tokens: The longest answer.
        concurrency: Answers under way at the same time.
        skip_first: Answers that end before the counting starts.
        cache: Where converted models are kept.

    Raises:
        ConfigError: If the pool's engine is not vLLM, or its model or arguments are wrong.
        EngineUnavailable: If vLLM does not come up.
    """
    if pool.engine != "vllm":
        raise ConfigError(f"pool {pool.name!r} is not served by vLLM", key="engine")
    from inference.vllm_engine import engine_input, sampling_params, start_async_llm

    began = time.perf_counter()
    folder = resolve_model(pool.model, cache=cache)
    llm = start_async_llm(folder, pool.engine_args, pool.max_in_flight)
    chat = Chat(load_tokenizer(folder), llm.model_config.max_model_len)
    tokens = [await chat.encode(_generation(prompt, max_tokens)) for prompt in prompts]
    params = sampling_params(Sampling(max_tokens=max_tokens))

    async def answer(index: int) -> int:
        count = 0
        async for output in llm.generate(engine_input(tokens[index]), params, str(index)):
            count += len(output.outputs[0].token_ids)
        return count

    try:
        await answer(0)
        start_s = time.perf_counter() - began
        return await _measured(answer, len(prompts), concurrency, skip_first, start_s)
    finally:
        llm.shutdown()


async def engine_tokens_per_s(
    pool: Pool,
    prompts: Sequence[str],
    *,
    max_tokens: int,
    concurrency: int,
    skip_first: int,
    cache: Path,
) -> Result:
    """Return the speed of our engine of ``pool``; the arguments are those of the bare one.

    Raises:
        ConfigError: If the pool's model or arguments are wrong.
        EngineUnavailable: If the engine does not come up.
    """
    began = time.perf_counter()
    engine = build_engine(pool, cache=cache)
    await engine.start()
    start_s = time.perf_counter() - began

    async def answer(index: int) -> int:
        return await _answered(engine, _generation(prompts[index], max_tokens))

    try:
        return await _measured(answer, len(prompts), concurrency, skip_first, start_s)
    finally:
        await engine.stop()


async def _answered(engine: Engine, generation: Generation) -> int:
    tokens = 0
    chunks: Any = engine.generate(generation)
    async with aclosing(chunks):
        async for chunk in chunks:
            if chunk.summary:
                tokens = chunk.summary.usage.completion_tokens
    return tokens


async def _measured(
    answer: Callable[[int], Awaitable[int]],
    requests: int,
    concurrency: int,
    skip_first: int,
    start_s: float,
) -> Result:
    """Answer all requests, so many at a time, and count what ends after the first ones."""
    if not 0 <= skip_first < requests:
        raise ValueError(f"skip_first must be at least 0 and below {requests}, not {skip_first}")
    room = asyncio.Semaphore(concurrency)
    began, cpu_began = time.perf_counter(), time.process_time()
    ended: list[int] = []

    async def one(index: int) -> None:
        nonlocal began, cpu_began
        async with room:
            ended.append(await answer(index))
        if len(ended) == skip_first:
            began, cpu_began = time.perf_counter(), time.process_time()

    await asyncio.gather(*(one(index) for index in range(requests)))
    seconds = time.perf_counter() - began
    counted = ended[skip_first:]
    cpu_s = time.process_time() - cpu_began
    return Result(sum(counted) / seconds, sum(counted), len(counted), seconds, start_s, cpu_s)


def _generation(prompt: str, max_tokens: int) -> Generation:
    return Generation(
        request_id="bench",
        messages=(Message(role="user", content=prompt),),
        sampling=Sampling(max_tokens=max_tokens),
    )
