"""The gate's second pass: an answer is scanned whole and released, or not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from monitors.masking import Numbering, mask, restore
from monitors.scanning import decision
from monitors.verdicts import told
from schemas.codec import decode
from schemas.errors import DecodeError, PoisonError
from schemas.requests import (
    CompletionFinished,
    Failure,
    FailureReason,
    ResponseStatus,
)
from schemas.verdicts import Action, Direction, Outcome, Verdict
from streams.admission import Serving
from streams.answers import answer, context_of, scanned, speaking, verdict_output
from streams.deadletters import dead_letter, describe, reason_of
from streams.log import Output, Record
from streams.sealing import Seal


class Release:
    """Turns completions into responses and verdicts.

    Args:
        serving: What serves each deployment.
        seal: Opens what placeholders stand for.
        consumer: The group, as dead letters name it.
        now: The current time, for deadlines.
    """

    def __init__(
        self,
        serving: Mapping[str, Serving],
        seal: Seal,
        *,
        consumer: str,
        now: Callable[[], datetime],
    ) -> None:
        self._serving = serving
        self._seal = seal
        self._consumer = consumer
        self._now = now

    def outputs(self, records: Sequence[Record]) -> list[Output]:
        """Return what comes of ``records``."""
        outputs: list[Output] = []
        whole: dict[str, list[tuple[Record, CompletionFinished]]] = {}
        for record in records:
            try:
                finished = decode(CompletionFinished, record.value)
            except PoisonError as error:
                outputs.append(self._dead(record, error))
                continue
            if finished.failure is None and finished.deployment in self._serving:
                whole.setdefault(finished.deployment, []).append((record, finished))
            else:
                failure = finished.failure or Failure(
                    reason=FailureReason.NO_POOL, detail="the deployment is gone"
                )
                outputs.append(_answer(record, finished, ResponseStatus.FAILED, failure=failure))
        for deployment, group in whole.items():
            outputs += self._release(self._serving[deployment], group)
        return outputs

    def _dead(self, record: Record, error: Exception) -> Output:
        return dead_letter(
            record, reason_of(error), describe(error), consumer=self._consumer, seal=self._seal
        )

    def _release(
        self, serving: Serving, group: Sequence[tuple[Record, CompletionFinished]]
    ) -> list[Output]:
        others = serving.scanner.in_gate()
        workers = serving.scanner.in_worker().required(Direction.ANSWER)
        group = [
            (record, self._caught_up(serving, workers, finished)) for record, finished in group
        ]
        texts = [finished.text for _, finished in group]
        keys = [finished.key for _, finished in group]
        contexts = [context_of(finished.asked) for _, finished in group]
        outputs: list[Output] = []
        for (record, finished), found in zip(
            group, others.scan(texts, Direction.ANSWER, keys, contexts), strict=True
        ):
            of_worker = finished.scanned.verdicts if finished.scanned else ()
            event = scanned(finished, Direction.ANSWER, 0, finished.text)
            outputs.append(verdict_output(event, record.partition.number, of_worker, found))
            of_gate = told(found)
            masked = self._masked(finished, of_gate)
            outputs.append(self._decide(record, masked, serving, (*of_worker, *of_gate)))
        return outputs

    def _caught_up(
        self, serving: Serving, required: Sequence[str], finished: CompletionFinished
    ) -> CompletionFinished:
        """Return the completion with what its worker should have read in it, and did not.

        A worker that started under another policy knows nothing of guards this one requires of it.
        """
        made = finished.scanned.verdicts if finished.scanned else ()
        known = {verdict.guard for verdict in made}
        if known.issuperset(required):
            return finished
        scanner = serving.scanner.in_worker()
        context = context_of(finished.asked)
        (found,) = scanner.scan([finished.text], Direction.ANSWER, [finished.key], [context])
        new = [verdict for verdict in found if verdict.guard not in known]
        masked = self._masked(finished, new)
        event = scanned(masked, Direction.ANSWER, 0, masked.text, (*made, *new))
        return masked.model_copy(update={"scanned": event})

    def _masked(
        self, finished: CompletionFinished, verdicts: Iterable[Verdict]
    ) -> CompletionFinished:
        """Return the completion with what ``verdicts`` mask in its text."""
        spans = [span for v in verdicts if v.outcome is Outcome.MASK for span in v.spans]
        if not spans:
            return finished
        numbering = Numbering()
        for taken in (finished.text, *self._opened(finished)):
            numbering.reserve(taken)
        text = mask(finished.text, spans, numbering)[0]
        return finished.model_copy(update={"text": text})

    def _decide(
        self,
        record: Record,
        finished: CompletionFinished,
        serving: Serving,
        verdicts: Sequence[Verdict],
    ) -> Output:
        guards = speaking(verdicts)
        if finished.deadline_at <= self._now():
            failure = Failure(reason=FailureReason.DEADLINE, detail="the answer came too late")
            return _answer(record, finished, ResponseStatus.FAILED, failure=failure, guards=guards)
        action = decision(verdicts)
        if action in (Action.BLOCK, Action.WITHHOLD):
            return _answer(record, finished, ResponseStatus.WITHHELD, guards=guards)
        status = ResponseStatus.MASKED if action is Action.MASK else ResponseStatus.RELEASED
        text = finished.text
        if serving.policy.restore and finished.sealed:
            text = restore(text, self._opened(finished))
        return _answer(
            record, finished, status, guards=guards, text=text, text_masked=finished.text
        )

    def _opened(self, finished: CompletionFinished) -> dict[str, str]:
        """Return what placeholders stand for; nothing, if it was sealed under another key."""
        if not finished.sealed:
            return {}
        try:
            raw = self._seal.open(finished.sealed, finished.request_id.encode())
        except DecodeError:
            return {}
        mapping: dict[str, str] = orjson.loads(raw)
        return mapping


def _answer(
    record: Record, finished: CompletionFinished, status: ResponseStatus, **said: Any
) -> Output:
    return answer(
        record,
        finished,
        status,
        finish_reason=finished.finish_reason,
        pool=finished.pool,
        model=finished.model,
        route=finished.route,
        usage=finished.usage,
        timings=finished.timings,
        mean_logprob=finished.mean_logprob,
        stopped=finished.stopped,
        prompt_chars=finished.prompt_chars,
        answer_chars=len(finished.text),
        **said,
    )
