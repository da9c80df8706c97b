"""What an engine is: it streams the answer of one model to many requests at once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Literal, Protocol

from schemas.requests import Message, Sampling, Usage


@dataclass(frozen=True)
class Generation:
    """One answer to generate."""

    request_id: str
    messages: tuple[Message, ...]
    sampling: Sampling
    passages: tuple[str, ...] = ()


@dataclass(frozen=True)
class Summary:
    """What the engine knows once an answer is whole.

    Args:
        finish_reason: ``stop`` by itself, ``length`` at ``max_tokens``, ``abort`` when stopped.
        usage: Tokens read and written.
        queue_s: Seconds the request waited inside the engine.
        ttft_s: Seconds from :meth:`Engine.generate` to the first token; None if there was none.
        tpot_s: Mean seconds per token after the first; None below two tokens.
        mean_logprob: Mean natural log-probability of the answer's tokens; None if unknown.
    """

    finish_reason: Literal["stop", "length", "abort"]
    usage: Usage
    queue_s: float
    ttft_s: float | None
    tpot_s: float | None
    mean_logprob: float | None


@dataclass(frozen=True)
class Chunk:
    """The next piece of an answer; the last one carries the summary and may have no text.

    Args:
        text: The piece.
        summary: What the engine knows once the answer is whole.
        read_tokens: Tokens of the prompt.
        written_tokens: Tokens of the answer so far.
    """

    text: str
    summary: Summary | None = None
    read_tokens: int = 0
    written_tokens: int = 0


class Engine(Protocol):
    """One model that answers many requests at once, in streams.

    Attributes:
        name: ``vllm``, ``transformers`` or ``scripted``.
        model: The model's name, as it appears in events.
        context_tokens: The longest prompt and answer together; known after :meth:`start`.
    """

    name: str
    model: str
    context_tokens: int

    async def start(self) -> None:
        """Load the model and answer one request, so that the next one is fast.

        Raises:
            ConfigError: If the model or an argument is wrong.
            EngineUnavailable: If the engine does not come up.
        """
        ...

    def generate(self, generation: Generation) -> AsyncIterator[Chunk]:
        """Stream the answer; closing the iterator, or cancelling its reader, aborts it.

        The same generation with the same seed gives the same text on the same machine.

        Raises:
            PromptTooLarge: If prompt and ``max_tokens`` exceed ``context_tokens``.
            EngineUnavailable: If the engine died; every request in flight gets this.
        """
        ...

    async def stop(self) -> None:
        """Abort what is in flight and give the memory back; a second call does nothing."""
        ...
