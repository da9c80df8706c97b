"""The first answer, which costs seconds that no customer should wait."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Protocol

from inference.engine import Chunk, Generation, Summary
from schemas.errors import EngineUnavailable
from schemas.requests import Message, Sampling

WARM_UP = Generation(
    request_id="warm-up",
    messages=(Message(role="user", content="Good morning."),),
    sampling=Sampling(max_tokens=8),
)


class Answering(Protocol):
    """Anything that answers as an engine does."""

    def generate(self, generation: Generation) -> AsyncGenerator[Chunk, None]:
        """Stream the answer."""
        ...


async def warm_up(engine: Answering) -> Summary:
    """Answer one short request and return what it took.

    Raises:
        EngineUnavailable: If there is no answer.
    """
    async with aclosing(engine.generate(WARM_UP)) as chunks:
        async for chunk in chunks:
            if chunk.summary:
                return chunk.summary
    raise EngineUnavailable("the warm-up request has no answer")
