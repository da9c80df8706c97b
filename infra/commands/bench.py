"""``tidegate bench``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from infra.commands import with_settings

if TYPE_CHECKING:
    from pydantic import BaseModel

    from infra.settings import Settings


@click.group("bench")
def command() -> None:
    """Measure parts of the pipeline.

    On this machine, on a system of its own that is thrown away afterwards.
    """


@command.command("gate")
@click.option("--requests", type=click.IntRange(min=100), default=10_000, show_default=True)
@click.option("--repetitions", type=click.IntRange(min=1), default=5, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print it as a JSON object.")
@with_settings
def gate(settings: Settings, requests: int, repetitions: int, as_json: bool) -> None:
    """Count the gate's events a second.

    Beside a bare Faust agent on the same records, with a profile of where the time goes.
    """
    from infra.bench.gate import bench_gate

    _print(bench_gate(settings.cache, requests=requests, repetitions=repetitions), as_json)


@command.command("worker")
@click.option("--model", default="smollm2-135m", show_default=True, help="What both serve.")
@click.option("--requests", type=click.IntRange(min=300), default=1200, show_default=True)
@click.option("--max-tokens", type=click.IntRange(min=1), default=128, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print it as a JSON object.")
@with_settings
def worker(settings: Settings, model: str, requests: int, max_tokens: int, as_json: bool) -> None:
    """Compare the whole pipeline with bare vLLM.

    Tokens a second on the same prompts, processor time of everything that is not vLLM, and the
    pipeline's own latency.
    """
    from inference.offline import be_discreet
    from infra.bench.worker import bench_worker

    be_discreet(os.environ)
    # As the supervisor sets them for the one worker of the pipeline.
    cores = sorted(os.sched_getaffinity(0))
    os.environ["OMP_NUM_THREADS"] = str(len(cores))
    os.environ["VLLM_CPU_OMP_THREADS_BIND"] = ",".join(map(str, cores))
    result = bench_worker(settings.cache, model=model, requests=requests, max_tokens=max_tokens)
    _print(result, as_json)


@command.command("guards")
@click.option("--prompts", type=click.IntRange(min=100), default=3000, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print it as a JSON object.")
def guards(prompts: int, as_json: bool) -> None:
    """Time the guards on prompts of 384 characters.

    All that the shipped policy requires and each cost class, on one core, alone and in batches.
    """
    os.environ["OMP_NUM_THREADS"] = "1"
    from infra.bench.guards import bench_guards

    _print(bench_guards(prompts), as_json)


@command.command("streaming")
@click.option("--cases", type=click.IntRange(min=90), default=900, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print it as a JSON object.")
def streaming(cases: int, as_json: bool) -> None:
    """Count what is seen of a bad answer before it is stopped.

    Sentences are planted into answers that come word by word; beside it, scanning whole answers.
    """
    from infra.bench.streaming import bench_streaming

    _print(bench_streaming(cases), as_json)


@command.command("patterns")
@click.option("--texts", type=click.IntRange(min=100), default=4_000, show_default=True)
@click.option("--repetitions", type=click.IntRange(min=1), default=5, show_default=True)
@click.option(
    "--data",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Rows of JSON with a text, to read instead of generated ones.",
)
@click.option("--json", "as_json", is_flag=True, help="Print it as a JSON object.")
def patterns(texts: int, repetitions: int, data: Path | None, as_json: bool) -> None:
    """Read a bank's texts for all patterns of all guards.

    Megabytes a second of our matcher, of re one by one, and of a set of google-re2.
    """
    from infra.bench.patterns import bench_patterns

    _print(bench_patterns(texts, repetitions, data), as_json)


@command.command("monitors")
@click.option("--requests", type=click.IntRange(min=100), default=2000, show_default=True)
@click.option("--repetitions", type=click.IntRange(min=1), default=5, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print it as a JSON object.")
def monitors(requests: int, repetitions: int, as_json: bool) -> None:
    """Count the observations a second that each monitor takes in, and the bytes of its state."""
    from infra.bench.monitors import bench_monitors

    _print(bench_monitors(requests, repetitions), as_json)


def _print(result: BaseModel, as_json: bool) -> None:
    if as_json:
        click.echo(result.model_dump_json(indent=2))
        return
    for name, value in result.model_dump().items():
        if isinstance(value, dict) and "mean" in value:
            value = f"{value['mean']:,} (95 %: {value['low']:,} to {value['high']:,})"
        if isinstance(value, list):
            for item in value:
                click.echo(f"  {item}")
            continue
        if isinstance(value, dict) and all(isinstance(item, dict) for item in value.values()):
            for key, item in value.items():
                click.echo(f"{name} {key:<20} {item}")
            continue
        click.echo(f"{name:<28} {value}")
