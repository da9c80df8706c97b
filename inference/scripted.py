"""An engine that answers from a script: for tests, for load, and for trying out the pipeline."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal

from pydantic import Field

from inference.context import check_fits
from inference.engine import Chunk, Generation, Summary
from inference.stopping import StopAt
from schemas.errors import EngineUnavailable, PoisonError
from schemas.requests import Usage
from schemas.written import Written

Sleep = Callable[[float], Awaitable[None]]

_WORD = re.compile(r"\S+\s*")


class Line(Written):
    """What the script says about some prompts.

    Attributes:
        contains: The prompts it is about: those with this text in them.
        answer: What to answer.
        token_s: Seconds each token takes.
        error: ``engine``: the engine dies; ``poison``: this prompt never works; ``bug``: an error
            nobody expected; ``hang``: nothing comes until the reader gives up.
    """

    contains: str
    answer: str | None = None
    token_s: float | None = Field(default=None, ge=0)
    error: Literal["engine", "poison", "bug", "hang"] | None = None


class ScriptedArgs(Written):
    """The ``engine_args`` of a scripted pool.

    Attributes:
        token_s: Seconds each token takes.
        answers: What is answered; which one is decided by the prompt's digest.
        lines: Exceptions, the first that applies counts.
        context_tokens: The longest prompt and answer together, in words.
        clock: ``real`` waits that long; ``virtual`` only says that it did.
    """

    token_s: float = Field(default=0.0, ge=0)
    answers: tuple[str, ...] = Field(default=("This is a scripted answer.",), min_length=1)
    lines: tuple[Line, ...] = ()
    context_tokens: int = Field(default=4096, ge=2)
    clock: Literal["real", "virtual"] = "real"


@dataclass
class _Play:
    """One answer under way."""

    words: list[str]
    token_s: float
    usage: Usage
    stopped: asyncio.Event = field(default_factory=asyncio.Event)


class ScriptedEngine:
    """The scripted engine; a token is a word with the space after it.

    The same prompt always gets the same answer, whatever the seed.

    Args:
        model: The name it goes by.
        args: The script.
    """

    name = "scripted"

    def __init__(self, *, model: str, args: ScriptedArgs) -> None:
        self.model = model
        self.context_tokens = args.context_tokens
        self._args = args
        self._sleep: Sleep = asyncio.sleep if args.clock == "real" else _skip
        self._playing: set[asyncio.Event] = set()
        self._state: Literal["new", "up", "dead"] = "new"

    async def start(self) -> None:
        """Be ready at once."""
        self._state = "up"

    async def generate(self, generation: Generation) -> AsyncGenerator[Chunk, None]:
        """Stream the answer that the script has for the prompt.

        Raises:
            PromptTooLarge: If prompt and ``max_tokens`` exceed ``context_tokens``.
            PoisonError: If the script says so.
            EngineUnavailable: If it is not started, or the script has killed it.
            RuntimeError: If the script wants a bug.
        """
        self._check_up()
        prompt = "\n".join([*generation.passages, *(turn.content for turn in generation.messages)])
        line = next((line for line in self._args.lines if line.contains in prompt), None)
        play = self._play(generation, prompt, line)
        self._playing.add(play.stopped)
        try:
            if line is not None and line.error:
                await self._misbehave(line.error, play.stopped)
            async for chunk in self._spoken(play, generation):
                yield chunk
        finally:
            self._playing.discard(play.stopped)

    async def stop(self) -> None:
        """End what is in flight; it can be started again."""
        if self._state == "up":
            self._state = "new"
        for stopped in self._playing:
            stopped.set()

    def _play(self, generation: Generation, prompt: str, line: Line | None) -> _Play:
        read = len(_WORD.findall(prompt))
        check_fits(read, generation.sampling.max_tokens, self.context_tokens)
        answers = self._args.answers
        digest = hashlib.sha256(prompt.encode()).digest()
        answer = answers[int.from_bytes(digest[:8], "big") % len(answers)]
        token_s = self._args.token_s
        if line is not None:
            answer = answer if line.answer is None else line.answer
            token_s = token_s if line.token_s is None else line.token_s
        return _Play(_WORD.findall(answer), token_s, Usage(prompt_tokens=read))

    async def _misbehave(self, error: str, stopped: asyncio.Event) -> None:
        if error == "poison":
            raise PoisonError("the script refuses this prompt")
        if error == "bug":
            raise RuntimeError("the script wants a bug")
        if error == "hang":
            await stopped.wait()
            return
        self._state = "dead"
        for other in self._playing:
            other.set()
        self._check_up()

    async def _spoken(self, play: _Play, generation: Generation) -> AsyncGenerator[Chunk, None]:
        gate = StopAt(generation.sampling.stop)
        said = 0
        reason: Literal["stop", "length", "abort"] = "stop"
        for said, word in enumerate(play.words, start=1):
            await self._sleep(play.token_s)
            if play.stopped.is_set():
                said, reason = said - 1, "abort"
                break
            if text := gate.push(word):
                yield Chunk(text, None, play.usage.prompt_tokens, said)
            if gate.stopped:
                break
            if said == generation.sampling.max_tokens:
                reason = "length"
                break
        if self._state == "dead":
            self._check_up()
        yield Chunk(gate.flush(), _summary(play, said, reason))

    def _check_up(self) -> None:
        if self._state != "up":
            said = "died" if self._state == "dead" else "is not started"
            raise EngineUnavailable(f"the scripted engine {said}")


def _summary(play: _Play, said: int, reason: Literal["stop", "length", "abort"]) -> Summary:
    return Summary(
        finish_reason=reason,
        usage=play.usage.model_copy(update={"completion_tokens": said}),
        queue_s=0.0,
        ttft_s=play.token_s if said else None,
        tpot_s=play.token_s if said > 1 else None,
        mean_logprob=None,
    )


async def _skip(_seconds: float) -> None:
    """Let the others go on; no time passes."""
    await asyncio.sleep(0)
