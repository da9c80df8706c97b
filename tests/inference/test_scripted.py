"""The script: what it says, how long it takes and how it fails."""

from __future__ import annotations

import asyncio

import pytest

from inference.scripted import ScriptedArgs, ScriptedEngine
from schemas.errors import EngineUnavailable, PoisonError
from tests.inference.conftest import answered, asked


async def started(**args: object) -> ScriptedEngine:
    """Return a scripted engine that is up."""
    engine = ScriptedEngine(model="script", args=ScriptedArgs.model_validate(args))
    await engine.start()
    return engine


async def test_the_prompt_decides_the_answer() -> None:
    """The same prompt has the same answer, and all answers are given to some prompts."""
    engine = await started(answers=["one", "two", "three"])
    texts = [(await answered(engine, asked(f"prompt {n}")))[0] for n in range(60)]
    assert set(texts) == {"one", "two", "three"}
    assert texts == [(await answered(engine, asked(f"prompt {n}")))[0] for n in range(60)]


async def test_a_line_is_said_to_its_prompts_only() -> None:
    """The first line that applies decides."""
    engine = await started(
        answers=["usual"],
        lines=[{"contains": "slow", "token_s": 0.25}, {"contains": "s", "answer": "special"}],
        clock="virtual",
    )
    assert (await answered(engine, asked("hello")))[0] == "usual"
    assert (await answered(engine, asked("yes")))[0] == "special"
    text, summary = await answered(engine, asked("slow, yes"))
    assert (text, summary.ttft_s) == ("usual", 0.25)


async def test_a_virtual_clock_does_not_wait() -> None:
    """An hour a token passes at once, and is told all the same."""
    engine = await started(token_s=3600, answers=["one two three"], clock="virtual")
    _, summary = await answered(engine, asked("hello"))
    assert (summary.ttft_s, summary.tpot_s) == (3600, 3600)


async def test_a_death_ends_everything_in_flight() -> None:
    """When the engine dies every request gets it, those to come included."""
    engine = await started(
        lines=[{"contains": "wait", "error": "hang"}, {"contains": "die", "error": "engine"}]
    )
    waiting = [asyncio.create_task(answered(engine, asked("wait"))) for _ in range(3)]
    await asyncio.sleep(0)
    last = [answered(engine, asked("die")), answered(engine, asked("too late"))]
    for ending in await asyncio.gather(*waiting, *last, return_exceptions=True):
        assert isinstance(ending, EngineUnavailable)


@pytest.mark.parametrize(("error", "raised"), [("poison", PoisonError), ("bug", RuntimeError)])
async def test_a_bad_prompt_harms_itself_only(error: str, raised: type[Exception]) -> None:
    """A prompt that fails leaves the engine up."""
    engine = await started(lines=[{"contains": "bad", "error": error}])
    with pytest.raises(raised):
        await answered(engine, asked("bad"))
    assert (await answered(engine, asked("good")))[0]


async def test_a_hanging_prompt_hangs_until_its_reader_leaves() -> None:
    """Nothing comes, so that deadlines can be tested."""
    engine = await started(lines=[{"contains": "hang", "error": "hang"}])
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await answered(engine, asked("hang"))


async def test_it_can_be_started_again() -> None:
    """After a stop it can be started again, after a death too."""
    engine = await started(lines=[{"contains": "die", "error": "engine"}])
    await engine.stop()
    await engine.start()
    with pytest.raises(EngineUnavailable):
        await answered(engine, asked("die"))
    await engine.start()
    assert (await answered(engine, asked("hello")))[0]
