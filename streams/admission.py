"""The gate's first pass: a request is read, scanned, masked and routed, or answered at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import orjson

from monitors.masking import Numbering, mask
from monitors.scanning import Scanner, decision
from monitors.verdicts import told
from schemas.codec import decode, encode
from schemas.deadletters import DeadLetterReason
from schemas.errors import DecodeError, UnknownVersion
from schemas.registry import Deployment, Policy
from schemas.requests import (
    TURN_END,
    CompletionAdmitted,
    CompletionRequested,
    Failure,
    FailureReason,
    Message,
    ResponseStatus,
    Route,
    Served,
)
from schemas.topics import work_topic
from schemas.verdicts import Action, Direction, Outcome, Span, Verdict
from streams.answers import answer, refusal, scanned, speaking, verdict_output
from streams.deadletters import appended_at, dead_letter, origin_of, readable_request_id
from streams.log import Output, Record
from streams.sealing import Seal
from streams.seen import Seen

Scanned = tuple[Direction, str, Sequence[Verdict]]


class Routes(Protocol):
    """What sends a masked prompt to a pool; the same prompt always to the same one."""

    def route(self, text: str) -> Route:
        """Return where ``text`` goes, and why."""
        ...


@dataclass(frozen=True)
class Serving:
    """What serves one deployment: its registry entries, with the versions of their files."""

    deployment: Deployment
    deployment_version: str
    policy: Policy
    policy_version: str
    scanner: Scanner
    router: Routes


class Admission:
    """Turns requests into admitted work, verdicts, and answers that need no model.

    Args:
        serving: What serves each deployment.
        seal: Encrypts what placeholders stand for.
        consumer: The group, as dead letters name it.
        deadline_s: Seconds a request may take that names no deadline.
        now: The current time, for deadlines.
    """

    def __init__(
        self,
        serving: Mapping[str, Serving],
        seal: Seal,
        *,
        consumer: str,
        deadline_s: float,
        now: Callable[[], datetime],
    ) -> None:
        self._serving = serving
        self._seal = seal
        self._consumer = consumer
        self._deadline = timedelta(seconds=deadline_s)
        self._now = now

    def outputs(self, records: Sequence[Record], seen: Seen) -> list[Output]:
        """Return what comes of ``records``, all of one partition."""
        outputs: list[Output] = []
        scannable: dict[str, list[tuple[Record, CompletionRequested]]] = {}
        for record in records:
            request = self._read(record, seen, outputs)
            if request is None:
                continue
            if request.deployment in self._serving:
                scannable.setdefault(request.deployment, []).append((record, request))
            else:
                outputs.append(
                    refusal(
                        record,
                        request.request_id,
                        FailureReason.NO_POOL,
                        f"there is no deployment {request.deployment!r}",
                        workspace=request.workspace,
                        deployment=request.deployment,
                    )
                )
        for deployment, group in scannable.items():
            outputs += self._admit(self._serving[deployment], group)
        return outputs

    def _read(
        self, record: Record, seen: Seen, outputs: list[Output]
    ) -> CompletionRequested | None:
        """Return the request, or None with what stands in its place added to ``outputs``."""
        request: CompletionRequested | None = None
        wrong = ""
        try:
            request = decode(CompletionRequested, record.value)
        except UnknownVersion as error:
            outputs.append(self._dead(record, DeadLetterReason.UNKNOWN_VERSION, str(error)))
            return None
        except DecodeError as error:
            wrong = str(error)
        request_id = request.request_id if request else readable_request_id(record)
        if request_id is None:
            outputs.append(self._dead(record, DeadLetterReason.UNDECODABLE, wrong))
            return None
        if seen.is_repeat(request_id, record.offset, record.timestamp_ms):
            detail = f"request_id {request_id!r} was asked before; a retry takes a new one"
            outputs.append(self._dead(record, DeadLetterReason.DUPLICATE_REQUEST, detail))
            return None
        if request is None:
            outputs.append(refusal(record, request_id, FailureReason.INVALID, wrong))
        return request

    def _dead(self, record: Record, reason: DeadLetterReason, detail: str) -> Output:
        return dead_letter(record, reason, detail, consumer=self._consumer, seal=self._seal)

    def _admit(
        self, serving: Serving, group: Sequence[tuple[Record, CompletionRequested]]
    ) -> list[Output]:
        scan = serving.scanner.scan
        prompts = [request.prompt_text for _, request in group]
        of_prompts = scan(prompts, Direction.PROMPT, [request.key for _, request in group])
        passages = [(request.key, text) for _, request in group for text in request.passages]
        keys = [key for key, _ in passages]
        of_passages = iter(scan([text for _, text in passages], Direction.PASSAGE, keys))
        outputs: list[Output] = []
        for (record, request), prompt, verdicts in zip(group, prompts, of_prompts, strict=True):
            served = self._served(record, request, serving)
            texts: list[Scanned] = [(Direction.PROMPT, prompt, verdicts)]
            texts += [(Direction.PASSAGE, text, next(of_passages)) for text in request.passages]
            for index, (direction, text, found) in enumerate(texts):
                event = scanned(served, direction, max(0, index - 1), text)
                outputs.append(verdict_output(event, record.partition.number, found))
            outputs.append(self._decide(record, request, serving, served, texts))
        return outputs

    def _decide(
        self,
        record: Record,
        request: CompletionRequested,
        serving: Serving,
        served: Served,
        texts: Sequence[Scanned],
    ) -> Output:
        """Return the one output that carries the request on, or answers it."""
        chars = len(texts[0][1])
        if served.deadline_at <= self._now():
            failure = Failure(reason=FailureReason.DEADLINE, detail="the deadline had passed")
            return answer(
                record, served, ResponseStatus.FAILED, failure=failure, prompt_chars=chars
            )
        verdicts = [verdict for _, _, found in texts for verdict in told(found)]
        if decision(verdicts) in (Action.BLOCK, Action.WITHHOLD):
            guards = speaking(verdicts)
            return answer(record, served, ResponseStatus.BLOCKED, guards=guards, prompt_chars=chars)
        messages, passages, mapping = _masked(request, texts)
        admitted = CompletionAdmitted(
            event_id=served.origin.cause("admitted"),
            occurred_at=served.requested_at,
            **vars(served),
            route=serving.router.route(TURN_END.join(m.content for m in messages)),
            messages=messages,
            passages=passages,
            sampling=request.sampling,
            sealed=self._sealed(mapping, served) if mapping else None,
            prompt_sha256=request.prompt_sha256,
            prompt_chars=chars,
        )
        return Output(work_topic(admitted.route.pool), served.key.encode(), encode(admitted))

    def _sealed(self, mapping: dict[str, str], served: Served) -> str:
        return self._seal.seal(orjson.dumps(mapping), served.request_id.encode())

    def _served(self, record: Record, request: CompletionRequested, serving: Serving) -> Served:
        requested_at = appended_at(record)
        return Served(
            request_id=request.request_id,
            workspace=request.workspace,
            deployment=request.deployment,
            deployment_version=serving.deployment_version,
            policy=serving.policy.name,
            policy_version=serving.policy_version,
            conversation_id=request.conversation_id,
            metadata=request.metadata,
            requested_at=requested_at,
            deadline_at=request.deadline_at or requested_at + self._deadline,
            origin=origin_of(record),
        )


def _masked(
    request: CompletionRequested, texts: Sequence[Scanned]
) -> tuple[tuple[Message, ...], tuple[str, ...], dict[str, str]]:
    """Return the request's messages and passages with values masked, and what stands for them."""
    spans_of = [
        [s for v in told(found) if v.outcome is Outcome.MASK for s in v.spans]
        for _, _, found in texts
    ]
    if not any(spans_of):
        return request.turns, request.passages, {}
    numbering = Numbering()
    for _, text, _ in texts:
        numbering.reserve(text)
    mapping: dict[str, str] = {}
    messages: list[Message] = []
    start = 0
    for turn in request.turns:
        end = start + len(turn.content)
        text, values = mask(turn.content, _within(spans_of[0], start, end), numbering)
        messages.append(Message(role=turn.role, content=text))
        mapping |= values
        start = end + len(TURN_END)
    passages: list[str] = []
    for passage, spans in zip(request.passages, spans_of[1:], strict=True):
        text, values = mask(passage, spans, numbering)
        passages.append(text)
        mapping |= values
    return tuple(messages), tuple(passages), mapping


def _within(spans: Sequence[Span], start: int, end: int) -> list[Span]:
    """Return the parts of ``spans`` that lie in one turn, counted from the turn's start."""
    return [
        Span(start=max(s.start, start) - start, end=min(s.end, end) - start, label=s.label)
        for s in spans
        if s.start < end and s.end > start
    ]
