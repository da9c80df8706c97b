"""What every engine promises, held against each of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from pathlib import Path

import pytest
import pytest_asyncio

from inference.build import build_engine
from inference.engine import Engine
from schemas.errors import EngineUnavailable, PromptTooLarge
from schemas.registry import Pool
from schemas.requests import Message, Sampling
from tests.inference.conftest import PoolOf, answered, asked

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    # Libraries of models warn about each other's deprecations when they are imported.
    pytest.mark.filterwarnings("ignore"),
]

CONTEXT = 256
SCRIPT = {
    "answers": ["One two three four five six seven eight nine ten eleven twelve thirteen."],
    "token_s": 0.002,
}
POOLS: dict[str, Callable[[PoolOf], Pool]] = {
    "scripted": lambda of: of("scripted", context_tokens=CONTEXT, **SCRIPT),
    "transformers": lambda of: of("transformers", context_tokens=CONTEXT, threads=1),
    "vllm": lambda of: of("vllm", max_model_len=CONTEXT, kv_cache_memory_bytes=64 << 20),
}
REAL = pytest.mark.engine


@pytest_asyncio.fixture(
    scope="module",
    loop_scope="module",
    params=[
        "scripted",
        pytest.param("transformers", marks=REAL),
        pytest.param("vllm", marks=[REAL, pytest.mark.slow]),
    ],
)
async def engine(
    request: pytest.FixtureRequest, pool_of: PoolOf, cache: Path
) -> AsyncIterator[Engine]:
    """Return each engine, started."""
    started = build_engine(POOLS[request.param](pool_of), cache=cache)
    await started.start()
    yield started
    await started.stop()


async def test_names_itself(engine: Engine) -> None:
    """Events can say which engine and model made an answer."""
    assert engine.name in POOLS
    assert engine.model == "tidegate-bank-2m"
    assert engine.context_tokens == CONTEXT


async def test_streams_an_answer(engine: Engine) -> None:
    """An answer comes in pieces, with its figures at the end."""
    async with aclosing(engine.generate(asked("What is my PIN?"))) as chunks:  # type: ignore[type-var]
        pieces = [chunk async for chunk in chunks]
    assert len([piece for piece in pieces if piece.text]) > 1
    assert [piece.summary is None for piece in pieces] == [True] * (len(pieces) - 1) + [False]
    assert "".join(piece.text for piece in pieces).strip()


async def test_tells_tokens_and_times(engine: Engine) -> None:
    """Usage and times are those of this answer."""
    _, summary = await answered(engine, asked("Where is my card?"))
    assert summary.usage.prompt_tokens > 0
    assert 1 < summary.usage.completion_tokens <= 16
    assert summary.queue_s >= 0
    assert summary.ttft_s is not None
    assert summary.ttft_s > 0
    assert summary.tpot_s is not None
    assert summary.tpot_s > 0


async def test_mean_logprob_is_a_log_probability(engine: Engine) -> None:
    """Engines that know how sure they were say so; the scripted one says nothing."""
    _, summary = await answered(engine, asked("Where is my card?"))
    if engine.name == "scripted":
        assert summary.mean_logprob is None
    else:
        assert summary.mean_logprob is not None
        assert summary.mean_logprob <= 0


async def test_same_generation_same_text(engine: Engine) -> None:
    """Asking the same again, with the same seed, gives the same answer."""
    generation = asked("How do I raise my limit?", temperature=0.9, top_p=0.95, seed=11)
    assert (await answered(engine, generation))[0] == (await answered(engine, generation))[0]


async def test_max_tokens_ends_an_answer(engine: Engine) -> None:
    """An answer is no longer than asked for, and says that it was cut."""
    _, summary = await answered(engine, asked("Where is my card?", max_tokens=3))
    assert summary.finish_reason == "length"
    assert summary.usage.completion_tokens == 3


async def test_stops_by_itself(engine: Engine) -> None:
    """An answer that is complete says so."""
    _, summary = await answered(engine, asked("What is my PIN?", max_tokens=120))
    assert summary.finish_reason == "stop"


async def test_stop_string_never_gets_out(engine: Engine) -> None:
    """The answer ends before the stop string, which no reader sees."""
    whole, _ = await answered(engine, asked("What is my PIN?", max_tokens=40))
    stop = whole[len(whole) // 2 : len(whole) // 2 + 3]
    text, summary = await answered(engine, asked("What is my PIN?", max_tokens=40, stop=(stop,)))
    assert text == whole[: whole.index(stop)]
    assert summary.finish_reason == "stop"


async def test_prompt_beyond_the_context_is_refused(engine: Engine) -> None:
    """A prompt that cannot be answered in full is refused, and the next one is answered."""
    with pytest.raises(PromptTooLarge, match=str(CONTEXT)):
        await answered(engine, asked("word " * CONTEXT))
    text, _ = await answered(engine, asked("Where is my card?"))
    assert text


async def test_answer_beyond_the_context_is_refused(engine: Engine) -> None:
    """A short prompt whose longest answer would not fit is refused as well."""
    with pytest.raises(PromptTooLarge, match=str(CONTEXT)):
        await answered(engine, asked("Where is my card?", max_tokens=CONTEXT))


async def test_reads_passages_and_earlier_turns(engine: Engine) -> None:
    """Passages and all turns of the conversation are part of the prompt."""
    short = asked("Where is my card?")
    long = type(short)(
        request_id="r2",
        messages=(
            Message(role="system", content="Be brief."),
            Message(role="user", content="Hello."),
            Message(role="assistant", content="Good morning."),
            *short.messages,
        ),
        sampling=short.sampling,
        passages=("A new card arrives in 3 to 5 working days.",),
    )
    _, less = await answered(engine, short)
    _, more = await answered(engine, long)
    assert more.usage.prompt_tokens >= less.usage.prompt_tokens + 10


@pytest.mark.parametrize(
    "text", ["Wo ist meine Karte? 🏦", "字" * 20, "\t\n ", "\u202e\ufffd", "?"]
)
async def test_answers_any_text(engine: Engine, text: str) -> None:
    """Whatever a customer types, there is an end to the answer."""
    _, summary = await answered(engine, asked(text))
    assert summary.finish_reason in ("stop", "length")


async def test_answers_many_at_once(engine: Engine) -> None:
    """Requests in flight together all end, whatever their number and length, even under one id."""
    generations = [
        asked(f"Question {n}: where is my card?", request_id=f"r{n % 10}", max_tokens=1 + n % 12)
        for n in range(24)
    ]
    endings = await asyncio.gather(*(answered(engine, generation) for generation in generations))
    for generation, (_, summary) in zip(generations, endings, strict=True):
        assert 0 < summary.usage.completion_tokens <= generation.sampling.max_tokens


async def test_closing_the_iterator_aborts(engine: Engine) -> None:
    """A reader may leave in the middle; the engine goes on with the others."""
    other = asyncio.create_task(answered(engine, asked("What is my PIN?", max_tokens=40)))
    async with aclosing(engine.generate(asked("Where is my card?", max_tokens=200))) as chunks:  # type: ignore[type-var]
        async for _ in chunks:
            break
    text, summary = await other
    assert text
    assert summary.finish_reason in ("stop", "length")


async def test_cancelling_the_reader_aborts(engine: Engine) -> None:
    """A cancelled reader is gone at once, and the engine answers the next."""
    begun = asyncio.Event()

    async def read() -> None:
        async for _ in engine.generate(asked("Where is my card?", max_tokens=200)):
            begun.set()

    task = asyncio.create_task(read())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await answered(engine, asked("What is my PIN?")))[0]


async def test_first_token_is_no_later_than_the_whole(engine: Engine) -> None:
    """With one token there is a first and no time per later token."""
    _, summary = await answered(engine, asked("Where is my card?", max_tokens=1))
    assert summary.ttft_s is not None
    assert summary.tpot_s is None


async def test_unstarted_engine_is_unavailable(
    engine: Engine, pool_of: PoolOf, cache: Path
) -> None:
    """An engine that was never started says so, as one that died would."""
    fresh = build_engine(POOLS[engine.name](pool_of), cache=cache)
    with pytest.raises(EngineUnavailable):
        await answered(fresh, asked("Where is my card?"))


async def test_sampling_defaults_are_deterministic() -> None:
    """The defaults that the contract relies on: greedy, seed 0."""
    assert (Sampling().temperature, Sampling().seed) == (0.0, 0)


async def test_stop_ends_what_is_in_flight(engine: Engine) -> None:
    """The last test: a stopped engine ends its answers as aborted and takes no more."""
    generation = asked("Where is my card?", max_tokens=200)
    begun = asyncio.Event()
    reasons: list[str] = []

    async def read() -> None:
        async for chunk in engine.generate(generation):
            begun.set()
            if chunk.summary:
                reasons.append(chunk.summary.finish_reason)

    tasks = [asyncio.create_task(read()) for _ in range(3)]
    await begun.wait()
    await engine.stop()
    await asyncio.gather(*tasks)
    assert "abort" in reasons
    assert len(reasons) == 3
    with pytest.raises(EngineUnavailable):
        await answered(engine, generation)
    await engine.stop()
