"""The worker: one model answering many admitted requests, each in its own time.

A bad answer leaves this process masked, or ends early: the guards that mask or withhold run here,
and what they find rides in the completion. Those that look for expressions read the answer as it is
generated and stop it as soon as they speak.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from inference.engine import Chunk, Engine, Generation, Summary
from monitors.guard import Context
from monitors.masking import Numbering, mask
from monitors.scanning import Scanner
from monitors.stopping import Stopping
from schemas.codec import decode, encode
from schemas.deadletters import DeadLetterReason
from schemas.errors import PoisonError, PromptTooLarge
from schemas.requests import (
    Asked,
    CompletionAdmitted,
    CompletionFinished,
    Failure,
    FailureReason,
    Served,
    Stopped,
    Timings,
    Usage,
)
from schemas.topics import COMPLETIONS
from schemas.verdicts import Direction, Outcome, TextScanned
from streams.answers import context_of, scanned
from streams.deadletters import appended_at, dead_letter, describe, reason_of
from streams.log import Output, Record
from streams.sealing import Seal

_SERVED = tuple(Served.model_fields)


@dataclass
class _Attempt:
    """What is known of one answer while it is made."""

    taken_at: datetime
    text: list[str] = field(default_factory=list)
    first_token_at: datetime | None = None
    last_token_at: datetime | None = None
    summary: Summary | None = None
    stopped: Stopped | None = None


class Worker:
    """Answers admitted requests with one engine.

    Args:
        engine: The model, started.
        pool: The pool it serves.
        scanners: What scans the answers of each deployment.
        seal: Encrypts dead letters.
        name: This worker, as completions name it.
        consumer: The group, as dead letters name it.
        now: The current time.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        pool: str,
        scanners: dict[str, Scanner],
        seal: Seal,
        name: str,
        consumer: str,
        now: Callable[[], datetime],
    ) -> None:
        self._engine = engine
        self._pool = pool
        self._scanners = {name: scanner.in_worker() for name, scanner in scanners.items()}
        self._stopping = {name: scanner.stopping() for name, scanner in scanners.items()}
        self._judged_in_context = {
            name for name, scanner in scanners.items() if scanner.judges_in_context
        }
        self._seal = seal
        self._name = name
        self._consumer = consumer
        self._now = now

    async def answer(self, record: Record) -> list[Output]:
        """Return the completion of ``record``.

        Raises:
            EngineUnavailable: If the engine died.
        """
        try:
            admitted = decode(CompletionAdmitted, record.value)
        except PoisonError as error:
            reason, detail = reason_of(error), describe(error)
            return [dead_letter(record, reason, detail, consumer=self._consumer, seal=self._seal)]
        attempt = _Attempt(taken_at=self._now())
        failure = await self._generate(admitted, attempt)
        return [self._finished(record, admitted, attempt, failure)]

    async def _generate(self, admitted: CompletionAdmitted, attempt: _Attempt) -> Failure | None:
        left_s = (admitted.deadline_at - attempt.taken_at).total_seconds()
        if left_s <= 0:
            return Failure(reason=FailureReason.DEADLINE, detail="passed before a worker was free")
        generation = Generation(
            request_id=admitted.request_id,
            messages=admitted.messages,
            sampling=admitted.sampling,
            passages=admitted.passages,
        )
        try:
            async with asyncio.timeout(left_s):
                await self._listen(generation, self._stopping.get(admitted.deployment), attempt)
        except TimeoutError:
            return Failure(reason=FailureReason.DEADLINE, detail="passed while answering")
        except PromptTooLarge as error:
            return Failure(reason=FailureReason.TOO_LARGE, detail=str(error)[:500])
        if attempt.summary is None:
            return Failure(reason=FailureReason.ENGINE, detail="the answer has no end")
        return None

    async def _listen(
        self, generation: Generation, stopping: Stopping | None, attempt: _Attempt
    ) -> None:
        """Take in the answer until it ends, or a guard stops it, which aborts it in the engine."""
        growing = stopping.begin() if stopping is not None else None
        async with aclosing(self._engine.generate(generation)) as chunks:  # type: ignore[type-var]
            with growing or nullcontext():
                async for chunk in chunks:
                    if chunk.text:
                        attempt.last_token_at = self._now()
                        attempt.first_token_at = attempt.first_token_at or attempt.last_token_at
                        attempt.text.append(chunk.text)
                        if growing is not None and (stopped := growing.add(chunk.text)):
                            attempt.stopped = stopped
                            attempt.summary = chunk.summary or _cut_short(chunk, attempt)
                            return
                    attempt.summary = chunk.summary or attempt.summary

    def _finished(
        self,
        record: Record,
        admitted: CompletionAdmitted,
        attempt: _Attempt,
        failure: Failure | None,
    ) -> Output:
        said: dict[str, Any] = {}
        finish_reason: Literal["stop", "length", "abort", "none"] = "none"
        summary = attempt.summary
        if failure is None and summary is not None:
            if admitted.deployment in self._judged_in_context:
                said["asked"] = Asked(messages=admitted.messages, passages=admitted.passages)
            text, context = "".join(attempt.text), context_of(said.get("asked"))
            said["text"], said["scanned"] = self._masked(admitted, text, context)
            finish_reason = summary.finish_reason
        finished = CompletionFinished(
            event_id=admitted.origin.cause("completion"),
            occurred_at=self._now(),
            **{name: getattr(admitted, name) for name in _SERVED},
            pool=self._pool,
            model=self._engine.model,
            engine=self._engine.name,
            route=admitted.route,
            finish_reason=finish_reason,
            failure=failure,
            usage=summary.usage if summary else Usage(),
            timings=_timings(record, attempt, self._now()),
            mean_logprob=summary.mean_logprob if summary else None,
            sealed=admitted.sealed,
            stopped=attempt.stopped,
            prompt_sha256=admitted.prompt_sha256,
            prompt_chars=admitted.prompt_chars,
            worker=self._name,
            **said,
        )
        return Output(COMPLETIONS.name, record.key, encode(finished), record.partition.number)

    def _masked(
        self, admitted: CompletionAdmitted, text: str, context: Context | None
    ) -> tuple[str, TextScanned | None]:
        """Return the answer with values masked, and the verdicts of the guards that run here."""
        scanner = self._scanners.get(admitted.deployment)
        if scanner is None:
            return text, None
        (verdicts,) = scanner.scan([text], Direction.ANSWER, [admitted.key], [context])
        served = Served.model_construct(**{name: getattr(admitted, name) for name in _SERVED})
        event = scanned(served, Direction.ANSWER, 0, text, verdicts)
        spans = [s for v in verdicts if v.outcome is Outcome.MASK for s in v.spans]
        if not spans:
            return text, event
        numbering = Numbering()
        # What the answer itself gives away must not be taken for what the customer wrote.
        for other in (*(message.content for message in admitted.messages), *admitted.passages):
            numbering.reserve(other)
        return mask(text, spans, numbering)[0], event

    def give_up(self, record: Record, error: Exception) -> list[Output]:
        """Answer ``failed: crashed``, or set the record aside if it cannot be read."""
        try:
            admitted = decode(CompletionAdmitted, record.value)
        except PoisonError:
            return [
                dead_letter(
                    record,
                    DeadLetterReason.CRASHED,
                    describe(error),
                    consumer=self._consumer,
                    seal=self._seal,
                )
            ]
        failure = Failure(reason=FailureReason.CRASHED, detail="the worker failed on this request")
        return [self._finished(record, admitted, _Attempt(taken_at=self._now()), failure)]


def _cut_short(chunk: Chunk, attempt: _Attempt) -> Summary:
    """Return what is known of an answer that a guard stopped."""
    first_at, last_at = attempt.first_token_at, attempt.last_token_at
    spent_s = (last_at - first_at).total_seconds() if first_at and last_at else 0.0
    tokens = chunk.written_tokens
    return Summary(
        finish_reason="abort",
        usage=Usage(prompt_tokens=chunk.read_tokens, completion_tokens=tokens),
        queue_s=0.0,
        ttft_s=(first_at - attempt.taken_at).total_seconds() if first_at else None,
        tpot_s=spent_s / (tokens - 1) if tokens > 1 else None,
        mean_logprob=None,
    )


def _timings(record: Record, attempt: _Attempt, now: datetime) -> Timings:
    summary = attempt.summary
    spent = (attempt.last_token_at or now) - attempt.taken_at
    return Timings(
        admitted_at=appended_at(record),
        taken_at=attempt.taken_at,
        first_token_at=attempt.first_token_at,
        last_token_at=attempt.last_token_at,
        queue_s=max(0.0, summary.queue_s) if summary else 0.0,
        ttft_s=summary.ttft_s if summary else None,
        tpot_s=summary.tpot_s if summary else None,
        generation_s=max(0.0, spent.total_seconds()),
    )
