"""One full event of every kind that is stored, as its record."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from schemas.base import Frozen, Origin
from schemas.codec import encode
from schemas.deadletters import DeadLetter, DeadLetterReason
from schemas.embeddings import TextEmbedded
from schemas.evaluations import GuardAttacked
from schemas.improving import AuditEntry, FeedbackReceived, ReferenceReset, ScaleDecided
from schemas.requests import (
    CompletionAdmitted,
    CompletionFinished,
    CompletionRequested,
    Failure,
    FailureReason,
    Message,
    ResponseReleased,
    ResponseStatus,
    Route,
    Sampling,
    Served,
    Timings,
    Usage,
)
from schemas.verdicts import Direction, Outcome, Span, TextScanned, Verdict
from schemas.watching import AlertChanged, CauseSegment, ChangePoint, Finding
from streams.log import Partition, Record

RAW = "raw text that no table may hold"
EVENT = UUID("11111111-2222-5333-8444-555555555555")
AT = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
REQUESTED_AT = datetime(2026, 3, 1, 12, 0, 0, 250000, tzinfo=UTC)
APPENDED_AT = datetime(2026, 3, 1, 12, 0, 2, 750000, tzinfo=UTC)
ORIGIN = Origin(topic="llm.requests.v1", partition=2, offset=41)
SERVED = {
    "request_id": "r-1",
    "workspace": "bank",
    "deployment": "support",
    "deployment_version": "d1",
    "policy": "default",
    "policy_version": "p1",
    "conversation_id": "c-1",
    "metadata": {"group": "a", "tag": "b"},
    "requested_at": REQUESTED_AT,
    "deadline_at": AT,
    "origin": ORIGIN,
}
ROUTE = Route(pool="small", topic="cards", difficulty=0.25, reason="easy")
TIMINGS = Timings(
    admitted_at=AT,
    taken_at=AT,
    first_token_at=AT,
    last_token_at=AT,
    queue_s=0.5,
    ttft_s=0.125,
    tpot_s=0.0625,
    generation_s=1.5,
)
USAGE = Usage(prompt_tokens=11, completion_tokens=22, cached_tokens=3)
SITS = {
    "causes": (
        CauseSegment(
            segment={"channel": "app"},
            before=0.25,
            after=0.5,
            samples=20,
            explains=1.5,
            surprise=0.125,
            evidence=8.0,
            exemplars=("r-1",),
        ),
    ),
    "changed": ChangePoint(at=AT, earliest_at=REQUESTED_AT, latest_at=APPENDED_AT),
    "beside": ("12:00:00 deployment version d2 (before: deployment version d1)",),
}
VERDICTS = tuple(
    Verdict(
        guard=guard,
        guard_version="1",
        outcome=outcome,
        score=0.5,
        threshold=0.25,
        spans=(Span(start=3, end=7, label="card"),),
        scanned_chars=90,
        total_chars=100,
        latency_ms=1.5,
    )
    for guard, outcome in (("pii", Outcome.MASK), ("tone", Outcome.PASS))
)


def record(topic: str, event: Frozen, partition: int = 1, offset: int = 7) -> Record:
    """Return ``event`` as it lies in ``topic``."""
    appended_ms = round(APPENDED_AT.timestamp() * 1000)
    return Record(Partition(topic, partition), offset, appended_ms, b"key", encode(event))


def requested(request_id: str = "r-1") -> CompletionRequested:
    """Return a request with every field set."""
    return CompletionRequested(
        request_id=request_id,
        event_id=EVENT,
        occurred_at=AT,
        prompt=RAW,
        passages=(RAW, RAW),
        workspace="bank",
        deployment="support",
        conversation_id="c-1",
        sampling=Sampling(max_tokens=32),
        metadata={"group": "a"},
        deadline_at=AT,
    )


def admitted() -> CompletionAdmitted:
    """Return an admitted request."""
    return CompletionAdmitted(
        event_id=EVENT,
        occurred_at=AT,
        **SERVED,
        route=ROUTE,
        messages=(Message(role="user", content=RAW),),
        sampling=Sampling(max_tokens=32, temperature=0.5, top_p=0.75),
        sealed="sealed-bytes",
        prompt_sha256="ab" * 32,
        prompt_chars=31,
    )


def finished() -> CompletionFinished:
    """Return a generated answer."""
    return CompletionFinished(
        event_id=EVENT,
        occurred_at=AT,
        **SERVED,
        pool="small",
        model="m",
        engine="scripted",
        route=ROUTE,
        text=RAW,
        finish_reason="length",
        failure=Failure(reason=FailureReason.ENGINE, detail="died"),
        usage=USAGE,
        timings=TIMINGS,
        mean_logprob=-0.5,
        scanned=scanned(),
        sealed="sealed-bytes",
        prompt_sha256="ab" * 32,
        prompt_chars=31,
        worker="w-1",
    )


def released() -> ResponseReleased:
    """Return an answer given, with restored values beside the masked text."""
    return ResponseReleased(
        event_id=EVENT,
        occurred_at=AT,
        request_id="r-1",
        workspace="bank",
        deployment="support",
        status=ResponseStatus.MASKED,
        guards=("pii",),
        text=RAW,
        text_masked="your card [CARD_1]",
        finish_reason="stop",
        served=Served.model_validate(SERVED),
        pool="small",
        model="m",
        route=ROUTE,
        usage=USAGE,
        timings=TIMINGS,
        mean_logprob=-0.5,
        prompt_chars=31,
        answer_chars=18,
        requested_at=REQUESTED_AT,
        origin=Origin(topic="llm.completions.v1", partition=0, offset=5),
    )


def unserved() -> ResponseReleased:
    """Return the answer to a request that could not be read far enough to be served."""
    return ResponseReleased(
        event_id=EVENT,
        occurred_at=AT,
        request_id="r-2",
        workspace="default",
        deployment="default",
        status=ResponseStatus.FAILED,
        failure=Failure(reason=FailureReason.INVALID, detail="the prompt is empty"),
        requested_at=REQUESTED_AT,
        origin=ORIGIN,
    )


def scanned() -> TextScanned:
    """Return a text that two guards read."""
    return TextScanned(
        event_id=EVENT,
        occurred_at=AT,
        request_id="r-1",
        workspace="bank",
        deployment="support",
        deployment_version="d1",
        policy="default",
        policy_version="p1",
        direction=Direction.ANSWER,
        text_index=0,
        text_sha256="cd" * 32,
        verdicts=VERDICTS,
        origin=ORIGIN,
    )


def embedded() -> TextEmbedded:
    """Return a text as a vector of two components."""
    return TextEmbedded(
        event_id=EVENT,
        occurred_at=AT,
        request_id="r-1",
        workspace="bank",
        deployment="support",
        deployment_version="d1",
        conversation_id="c-1",
        requested_at=REQUESTED_AT,
        direction=Direction.PROMPT,
        topic="cards",
        text_sha256="ef" * 32,
        model="m",
        vector="ADwAAA==",
        share=0.5,
        latency_ms=1.5,
        origin=ORIGIN,
    )


def found() -> Finding:
    """Return a detection."""
    return Finding(
        event_id=EVENT,
        occurred_at=AT,
        monitor="latency",
        monitor_version="1",
        kind="detection",
        deployment="support",
        segment={"pool": "small"},
        metric="ttft_p99_s",
        value=2.5,
        limit=1.25,
        baseline=0.5,
        unit="s",
        samples=200,
        since_at=AT,
        cause="answers start late",
        exemplars=("r-1", "r-2"),
        **SITS,
        origin=ORIGIN,
    )


def alerted(state: str = "firing") -> AlertChanged:
    """Return a change of an alert."""
    return AlertChanged.model_validate(
        {
            "event_id": EVENT if state == "firing" else UUID(int=9),
            "occurred_at": AT if state == "firing" else APPENDED_AT,
            "alert_id": "a-1",
            "firing": 2,
            "rule": "slow",
            "state": state,
            "severity": "warning",
            "title": "slow",
            "cause": "answers start late",
            "deployment": "support",
            "monitor": "latency",
            "metric": "ttft_p99_s",
            "segment": {"pool": "small"},
            "value": 2.5,
            "limit": 1.25,
            "unit": "s",
            "since_at": AT,
            "fired_at": AT,
            "exemplars": ["r-1"],
            **SITS,
            "findings": [str(EVENT)],
            "origin": ORIGIN,
        }
    )


def labelled() -> FeedbackReceived:
    """Return a person's word."""
    return FeedbackReceived(
        event_id=EVENT,
        occurred_at=AT,
        request_id="r-1",
        author="eve",
        label="injection",
        guard="injection",
        rating=4,
        edit_masked="better",
    )


def reset() -> ReferenceReset:
    """Return a person's word that what is usual is to be learned anew."""
    return ReferenceReset(
        event_id=EVENT,
        occurred_at=AT,
        deployment="support",
        series="topic",
        author="eve",
        reason="a new season",
    )


def scaled() -> ScaleDecided:
    """Return a decision to scale."""
    return ScaleDecided(
        event_id=EVENT,
        occurred_at=AT,
        deployment="support",
        pool="small",
        workers=2,
        previous_workers=1,
        reason="lag",
    )


def attacked() -> GuardAttacked:
    """Return what is left of a guard under an attack."""
    return GuardAttacked(
        event_id=EVENT,
        occurred_at=AT,
        guard="personal",
        guard_version="1",
        attack="pgd-0.5",
        kind="features",
        data_version="d1",
        threshold=0.5,
        samples=40,
        found_unattacked=30,
        found=20,
        queries=2.5,
        epsilon=0.5,
    )


def audited() -> AuditEntry:
    """Return an entry of the audit chain."""
    return AuditEntry(
        event_id=EVENT,
        occurred_at=AT,
        workspace="bank",
        sequence=3,
        actor="eve",
        action="promote",
        subject="guard/injection",
        details={"to": "2"},
        previous_sha256="00",
        sha256="11",
    )


def set_aside() -> DeadLetter:
    """Return a dead letter."""
    return DeadLetter(
        event_id=EVENT,
        occurred_at=AT,
        reason=DeadLetterReason.UNDECODABLE,
        detail="no JSON",
        consumer="tidegate-gate",
        request_id="r-3",
        origin=Origin(topic="llm.requests.v1", partition=2, offset=43),
        origin_appended_at=REQUESTED_AT,
        value_bytes=12,
        sealed_key="sealed-bytes",
        sealed_value="sealed-bytes",
    )


STORED: tuple[tuple[str, str, Frozen], ...] = (
    ("llm.requests.v1", "requests", requested()),
    ("llm.work.small.v1", "admissions", admitted()),
    ("llm.completions.v1", "completions", finished()),
    ("llm.responses.v1", "responses", released()),
    ("llm.verdicts.v1", "scans", scanned()),
    ("llm.embeddings.v1", "embeddings", embedded()),
    ("llm.findings.v1", "findings", found()),
    ("llm.alerts.v1", "alerts", alerted()),
    ("llm.feedback.v1", "feedback", labelled()),
    ("llm.feedback.v1", "feedback", reset()),
    ("llm.control.v1", "control", scaled()),
    ("llm.evaluations.v1", "evaluations", attacked()),
    ("llm.audit.v1", "audit", audited()),
    ("llm.deadletter.v1", "dead_letters", set_aside()),
)
"""Topic, table and event of every kind that is stored."""
