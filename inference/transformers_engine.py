"""Transformers behind the engine protocol: for models that vLLM does not know, and for tests."""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from inference.chat import Chat, load_tokenizer
from inference.dtype import Dtype, cpu_dtype, gpu_dtype
from inference.engine import Chunk, Generation, Summary
from inference.flight import Flight
from inference.warmup import warm_up
from schemas.errors import ConfigError, EngineUnavailable
from schemas.written import Written

logger = logging.getLogger(__name__)

_CONTEXT_TOKENS = 2048


class TransformersArgs(Written):
    """The ``engine_args`` of a transformers pool.

    Attributes:
        dtype: The number format; ``auto`` takes what this machine computes fastest.
        device: ``cpu``, ``cuda`` or ``auto``.
        threads: CPU threads; torch's default if absent.
        context_tokens: The longest prompt and answer together; the model's own if absent.
        batch: Requests answered side by side; later ones wait for the batch to end.
    """

    dtype: Dtype | Literal["auto"] = "auto"
    device: Literal["auto", "cpu", "cuda"] = "auto"
    threads: int | None = Field(default=None, ge=1)
    context_tokens: int | None = Field(default=None, ge=2)
    batch: int = Field(default=8, ge=1, le=256)


class TransformersEngine:
    """One model on transformers, in a thread of its own.

    Requests that wait together are answered in one batch, token by token; those that come later
    wait until it ends, which their ``queue_s`` tells.

    Args:
        model: The name it goes by.
        folder: Where the model lies.
        args: The pool's ``engine_args``.

    Attributes:
        start_s: Seconds that :meth:`start` took; 0 before.
        warm_up: What the first answer took, part of ``start_s``.
    """

    name = "transformers"

    def __init__(self, *, model: str, folder: Path, args: TransformersArgs) -> None:
        self.model = model
        self.context_tokens = 0
        self.start_s = 0.0
        self.warm_up: Summary | None = None
        self._folder = folder
        self._args = args
        self._chat: Chat | None = None
        self._waiting: queue.SimpleQueue[Flight | None] = queue.SimpleQueue()
        self._flying: set[Flight] = set()
        self._thread: threading.Thread | None = None
        self._up = False

    async def start(self) -> None:
        """Load the model and answer one request, so that the next one is fast.

        Raises:
            ConfigError: If the model or an argument is wrong.
            EngineUnavailable: If the first answer fails.
        """
        began = time.perf_counter()
        tokenizer = load_tokenizer(self._folder)
        model = await asyncio.to_thread(_load, self._folder, self._args)
        config = model.config.get_text_config()
        most = getattr(config, "max_position_embeddings", None) or _CONTEXT_TOKENS
        self.context_tokens = min(self._args.context_tokens or most, most)
        self._chat = Chat(tokenizer, self.context_tokens)
        loop = asyncio.get_running_loop()
        self._thread = threading.Thread(
            target=self._serve, args=(model, tokenizer, loop), name="transformers", daemon=True
        )
        self._thread.start()
        self._up = True
        self.warm_up = await warm_up(self)
        self.start_s = time.perf_counter() - began

    async def generate(self, generation: Generation) -> AsyncGenerator[Chunk, None]:
        """Stream the answer; closing the iterator, or cancelling its reader, aborts it.

        Raises:
            PromptTooLarge: If prompt and ``max_tokens`` exceed ``context_tokens``.
            PoisonError: If the model's chat template refuses the conversation.
            EngineUnavailable: If the engine is not started, or died.
        """
        if self._chat is None or not self._up:
            raise EngineUnavailable("transformers is not started, or died")
        prompt = await self._chat.encode(generation)
        flight = Flight(prompt, generation.sampling, self._chat.tokenizer)
        self._flying.add(flight)
        self._waiting.put(flight)
        try:
            while True:
                chunk = await flight.chunk()
                yield chunk
                if chunk.summary:
                    return
        finally:
            flight.abort()
            self._flying.discard(flight)

    async def stop(self) -> None:
        """Abort what is in flight and give the memory back; a second call does nothing."""
        thread, self._thread = self._thread, None
        self._up = False
        if thread is None:
            return
        for flight in self._flying:
            flight.abort()
        self._waiting.put(None)
        await asyncio.to_thread(thread.join)

    def _serve(self, model: Any, tokenizer: Any, loop: asyncio.AbstractEventLoop) -> None:
        """Answer batch after batch until told to end."""
        from inference.decoding import decode

        pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else 0
        ends = _end_tokens(model, tokenizer)
        try:
            while batch := self._next_batch():
                decode(model, pad, [flight.row(ends) for flight in batch])
        except RuntimeError as error:
            # Torch reports what it lacks, memory above all, in this way.
            logger.error("transformers fails: %s", type(error).__name__)
        finally:
            loop.call_soon_threadsafe(self._ended)

    def _ended(self) -> None:
        """End what the thread has left behind."""
        self._up = False
        for flight in self._flying:
            flight.fail(EngineUnavailable("transformers' thread ended"))

    def _next_batch(self) -> list[Flight]:
        """Return the requests that wait, at least one; none when told to end."""
        batch = [self._waiting.get()]
        while len(batch) < self._args.batch and not self._waiting.empty():
            batch.append(self._waiting.get())
        return [] if None in batch else [flight for flight in batch if flight]


def _load(folder: Path, args: TransformersArgs) -> Any:
    import torch
    from transformers import AutoModelForCausalLM

    if args.threads:
        torch.set_num_threads(args.threads)
    cuda = torch.cuda.is_available()
    if args.device == "cuda" and not cuda:
        raise ConfigError("this machine has no CUDA device", key="engine_args.device")
    device = "cuda" if cuda and args.device != "cpu" else "cpu"
    if args.dtype != "auto":
        dtype = args.dtype
    else:
        dtype = gpu_dtype(torch.cuda.get_device_capability()) if device == "cuda" else cpu_dtype()
    try:
        model: Any = AutoModelForCausalLM.from_pretrained(
            folder, dtype=getattr(torch, dtype), local_files_only=True
        )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ConfigError(f"holds no readable model: {error}", file=str(folder)) from error
    return model.to(device).eval()


def _end_tokens(model: Any, tokenizer: Any) -> frozenset[int]:
    """Return the tokens that end an answer, as the model's generation config says."""
    found = model.generation_config.eos_token_id
    if found is None:
        found = tokenizer.eos_token_id
    if found is None:
        return frozenset()
    return frozenset([found] if isinstance(found, int) else found)
