"""What the pipeline costs a worker: tokens a second beside bare vLLM, processor time, latency.

The same prompts are answered twice in one run: by vLLM's ``AsyncLLM`` alone, and by the whole
pipeline around the same engine on the same cores. A third system, with an engine that takes no
time, tells the pipeline's own latency.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Mapping
from itertools import islice
from pathlib import Path

import psutil
import yaml
from pydantic import BaseModel

from inference.bank import questions
from inference.bench_engine import Result, bare_tokens_per_s
from infra.trials.sandbox import Sandbox, sandbox
from infra.trials.torture import SCRIPTED
from schemas.registry import Deployment
from schemas.requests import CompletionRequested, ResponseReleased, Sampling
from streams.client import Answer, Client

SERVED = """\
name: default
policy: default
pools:
  - name: small
    engine: vllm
    model: {model}
"""
_WARM_UP = 20


class WorkerBench(BaseModel):
    """What came of it.

    Attributes:
        model: What both served.
        max_tokens: The longest answer.
        requests: Answers counted, after the skipped ones.
        bare_tokens_per_s: Of ``AsyncLLM`` alone.
        pipeline_tokens_per_s: Of the whole pipeline.
        ratio: Of the two.
        cpu_s_per_1000: Processor time for 1,000 requests, by part. ``worker: vllm`` are vLLM's own
            processes; vLLM's front end runs in the worker's.
        bare_front_end_cpu_s_per_1000: The same of the process that ran ``AsyncLLM`` alone.
        watching_cpu_s_per_1000: All that is not vLLM: every part but vLLM's processes, less what
            its front end took when it ran alone.
        latency_requests: Requests, one after the other, to the engine that takes no time.
        own_p50_ms: The pipeline's own share of their time: from request to answer, without the
            wait on the work topic and the generation.
        own_p99_ms: The share that one in a hundred exceeds.
    """

    model: str
    max_tokens: int
    requests: int
    bare_tokens_per_s: float
    pipeline_tokens_per_s: float
    ratio: float
    cpu_s_per_1000: dict[str, float]
    bare_front_end_cpu_s_per_1000: float
    watching_cpu_s_per_1000: float
    latency_requests: int
    own_p50_ms: float
    own_p99_ms: float


def bench_worker(
    cache: Path,
    *,
    model: str,
    requests: int = 1200,
    skip_first: int = 200,
    max_tokens: int = 128,
    concurrency: int = 32,
    latency_requests: int = 200,
) -> WorkerBench:
    """Measure it.

    Args:
        cache: Where jars and converted models are.
        model: What both serve.
        requests: Prompts, the skipped ones included.
        skip_first: Answers that end before the counting starts.
        max_tokens: The longest answer.
        concurrency: Requests in flight in the engine. The pipeline is asked twice as many at a
            time, so that its worker always finds the next one on its topic.
        latency_requests: Requests to the engine that takes no time.

    Raises:
        ConfigError: If a system does not come up.
    """
    prompts = [question.text for question in islice(questions(7), requests)]
    served = SERVED.format(model=model)
    deployment = Deployment.model_validate(yaml.safe_load(served))
    bare = asyncio.run(
        bare_tokens_per_s(
            deployment.pools[0],
            prompts,
            max_tokens=max_tokens,
            concurrency=concurrency,
            skip_first=skip_first,
            cache=cache,
        )
    )
    front_s = bare.cpu_s / bare.requests * 1000
    with sandbox(served, cache) as system:
        system.up()
        ours, spent = asyncio.run(
            _through(system, prompts, skip_first, max_tokens, 2 * concurrency)
        )
    with sandbox(SCRIPTED.replace("token_s: 0.005", "token_s: 0"), cache) as system:
        system.up()
        own_ms = asyncio.run(_own_ms(system, latency_requests))
    watching = sum(s for part, s in spent.items() if part != _VLLM) - front_s
    return WorkerBench(
        model=model,
        max_tokens=max_tokens,
        requests=ours.requests,
        bare_tokens_per_s=round(bare.tokens_per_s, 1),
        pipeline_tokens_per_s=round(ours.tokens_per_s, 1),
        ratio=round(ours.tokens_per_s / bare.tokens_per_s, 3),
        cpu_s_per_1000={part: round(seconds, 2) for part, seconds in sorted(spent.items())},
        bare_front_end_cpu_s_per_1000=round(front_s, 2),
        watching_cpu_s_per_1000=round(watching, 2),
        latency_requests=len(own_ms),
        own_p50_ms=round(statistics.median(own_ms), 1),
        own_p99_ms=round(statistics.quantiles(own_ms, n=100)[98], 1),
    )


_VLLM = "worker: vllm"


async def _through(
    system: Sandbox, prompts: list[str], skip_first: int, max_tokens: int, waiting: int
) -> tuple[Result, dict[str, float]]:
    """Return the pipeline's speed, and processor seconds per 1,000 requests by part."""
    ended: list[int] = []
    began_s, before = time.perf_counter(), _cpu_s(system)

    async def one(index: int, client: Client) -> None:
        nonlocal began_s, before
        answer = await client.ask(_request(f"bench-{index}", prompts[index], max_tokens))
        response = answer.event
        assert isinstance(response, ResponseReleased)
        ended.append(response.usage.completion_tokens)
        if len(ended) == skip_first:
            began_s, before = time.perf_counter(), _cpu_s(system)

    async with Client(system.settings.connection(), most_waiting=waiting) as client:
        await asyncio.gather(*(one(index, client) for index in range(len(prompts))))
        seconds = time.perf_counter() - began_s
        # The store is written to a little later, and that belongs to the price.
        await asyncio.sleep(2 * system.settings.sink.linger_s)
    after = _cpu_s(system)
    counted = ended[skip_first:]
    spent = {part: (after[part] - before.get(part, 0.0)) / len(counted) * 1000 for part in after}
    return Result(sum(counted) / seconds, sum(counted), len(counted), seconds, 0.0), spent


async def _own_ms(system: Sandbox, requests: int) -> list[float]:
    """Return the pipeline's own share of the time of requests that come one by one."""
    shares: list[float] = []
    async with Client(system.settings.connection()) as client:
        for index, question in enumerate(islice(questions(8), _WARM_UP + requests)):
            answer = await client.ask(_request(f"latency-{index}", question.text, 32))
            if index >= _WARM_UP and (share := _own(answer)) is not None:
                shares.append(share)
    return shares


def _own(answer: Answer) -> float | None:
    """Return the share in milliseconds; None if no model answered."""
    response = answer.event
    if not isinstance(response, ResponseReleased) or response.timings is None:
        return None
    timings = response.timings
    if timings.last_token_at is None:
        return None
    whole_ms = answer.appended_ms - response.requested_at.timestamp() * 1000
    return whole_ms - (timings.last_token_at - timings.admitted_at).total_seconds() * 1000


def _request(request_id: str, prompt: str, max_tokens: int) -> CompletionRequested:
    return CompletionRequested(
        request_id=request_id, prompt=prompt, sampling=Sampling(max_tokens=max_tokens)
    )


def _cpu_s(system: Sandbox) -> Mapping[str, float]:
    """Return the processor seconds that each part has used; vLLM's processes apart."""
    found: dict[str, float] = {}
    for part in system.state().parts:
        if part.pid is None:
            continue
        leader = psutil.Process(part.pid)
        found[part.name] = _spent_s(leader)
        for child in leader.children(recursive=True):
            name = _VLLM if part.name.startswith("worker") else part.name
            found[name] = found.get(name, 0.0) + _spent_s(child)
    return found


def _spent_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
