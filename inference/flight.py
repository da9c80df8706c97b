"""One answer on its way from a generating thread to the event loop."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from inference.detokenizing import Detokenizer
from inference.engine import Chunk, Summary
from inference.stopping import StopAt
from schemas.errors import EngineUnavailable
from schemas.requests import Sampling, Usage

if TYPE_CHECKING:
    from inference.decoding import Row


class Flight:
    """An answer under way: the thread tells tokens, the event loop reads chunks.

    Args:
        prompt: The prompt's token ids.
        sampling: How to choose tokens, and when to end.
        tokenizer: Makes text of them.
    """

    def __init__(self, prompt: Sequence[int], sampling: Sampling, tokenizer: Any) -> None:
        self._prompt = prompt
        self._sampling = sampling
        self._text = Detokenizer(tokenizer)
        self._gate = StopAt(sampling.stop)
        self._loop = asyncio.get_running_loop()
        self._chunks: asyncio.Queue[Chunk | EngineUnavailable] = asyncio.Queue()
        self._aborted = threading.Event()
        self._ended = False
        self._tokens = 0
        self._logprobs = 0.0
        self._asked = time.perf_counter()
        self._taken = self._first = self._last = 0.0

    async def chunk(self) -> Chunk:
        """Return the next piece.

        Raises:
            EngineUnavailable: If the engine died.
        """
        item = await self._chunks.get()
        if isinstance(item, EngineUnavailable):
            raise item
        return item

    def abort(self) -> None:
        """Have the thread end this answer at its next step."""
        self._aborted.set()

    def fail(self, error: EngineUnavailable) -> None:
        """Give the reader ``error``, unless the answer has ended or was to be aborted anyway."""
        if not self._over():
            self._send(error)

    def row(self, ends: frozenset[int]) -> Row:
        """Return this answer's row in a batch; the thread has taken it up.

        Args:
            ends: The tokens that end an answer.
        """
        from inference.decoding import Row

        self._taken = time.perf_counter()
        return Row(self._prompt, self._sampling, lambda *said: self._tell(ends, *said), self._over)

    def _over(self) -> bool:
        if self._aborted.is_set():
            self._finish("abort", "")
        return self._ended

    def _tell(self, ends: frozenset[int], token: int, logprob: float) -> bool:
        self._last = time.perf_counter()
        self._first = self._first or self._last
        self._tokens += 1
        self._logprobs += logprob
        if token in ends:
            self._finish("stop", self._gate.push(self._text.flush()) + self._gate.flush())
            return False
        text = self._gate.push(self._text.push(token))
        if self._gate.stopped:
            self._finish("stop", text)
        elif self._tokens == self._sampling.max_tokens:
            rest = self._gate.push(self._text.flush())
            self._finish("length", text + rest + self._gate.flush())
        elif text:
            self._send(Chunk(text, None, len(self._prompt), self._tokens))
        return not self._ended

    def _finish(self, reason: Literal["stop", "length", "abort"], text: str) -> None:
        tokens = self._tokens
        self._send(
            Chunk(
                text,
                Summary(
                    finish_reason=reason,
                    usage=Usage(prompt_tokens=len(self._prompt), completion_tokens=tokens),
                    queue_s=self._taken - self._asked,
                    ttft_s=self._first - self._asked if tokens else None,
                    tpot_s=(self._last - self._first) / (tokens - 1) if tokens > 1 else None,
                    mean_logprob=self._logprobs / tokens if tokens else None,
                ),
            )
        )

    def _send(self, item: Chunk | EngineUnavailable) -> None:
        if self._ended:
            return
        self._ended = isinstance(item, EngineUnavailable) or item.summary is not None
        self._loop.call_soon_threadsafe(self._chunks.put_nowait, item)
