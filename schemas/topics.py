"""Every topic of Tidegate: its event, key, table and how long and how large its records are."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.base import Event
from schemas.deadletters import DeadLetter
from schemas.embeddings import TextEmbedded
from schemas.evaluations import GuardAttacked
from schemas.improving import (
    AlertAcknowledged,
    AuditEntry,
    BudgetSettled,
    DeploymentChanged,
    FeedbackReceived,
    ReferenceReset,
    RetrainRequested,
    RolloverRequested,
    RolloverStep,
    ScaleDecided,
)
from schemas.requests import (
    CompletionAdmitted,
    CompletionFinished,
    CompletionRequested,
    ResponseReleased,
)
from schemas.verdicts import TextScanned
from schemas.watching import AlertChanged, Finding, Observation

REQUEST_MAX_BYTES = 1 << 20
RECORD_MAX_BYTES = 4 << 20


@dataclass(frozen=True)
class Topic:
    """One kind of event, the topic it travels on and the table it ends in.

    Args:
        name: The topic; ``{pool}`` stands for a pool's name.
        events: The models of its records; several are told apart by their ``type``.
        key: The fields that make the record's key, as a user reads it.
        table: The ClickHouse table its records are stored in; None if they are not.
        hours: How long records are kept; those of a compacted topic at least.
        max_bytes: The largest record, in bytes.
        compacted: Whether the last record of each key is kept for ever.
    """

    name: str
    events: tuple[type[Event] | type[CompletionRequested], ...]
    key: str
    table: str | None
    hours: int = 7 * 24
    max_bytes: int = RECORD_MAX_BYTES
    compacted: bool = False


# fmt: off
REQUESTS = Topic("llm.requests.v1", (CompletionRequested,), "any", "requests", hours=24, max_bytes=REQUEST_MAX_BYTES)
WORK = Topic("llm.work.{pool}.v1", (CompletionAdmitted,), "conversation_id, else request_id", "admissions")
COMPLETIONS = Topic("llm.completions.v1", (CompletionFinished,), "conversation_id, else request_id", "completions")
RESPONSES = Topic("llm.responses.v1", (ResponseReleased,), "conversation_id, else request_id", "responses")
VERDICTS = Topic("llm.verdicts.v1", (TextScanned,), "request_id", "scans")
EMBEDDINGS = Topic("llm.embeddings.v1", (TextEmbedded,), "deployment", "embeddings", hours=24)
OBSERVATIONS = Topic("llm.observations.v1", (Observation,), "deployment", None)
FINDINGS = Topic("llm.findings.v1", (Finding,), "deployment", "findings")
ALERTS = Topic("llm.alerts.v1", (AlertChanged,), "alert_id", "alerts", compacted=True)
FEEDBACK = Topic("llm.feedback.v1", (FeedbackReceived, AlertAcknowledged, ReferenceReset, RetrainRequested, RolloverRequested), "request_id, else deployment", "feedback")
CONTROL = Topic("llm.control.v1", (DeploymentChanged, RolloverStep, ScaleDecided, BudgetSettled), "deployment", "control")
EVALUATIONS = Topic("llm.evaluations.v1", (GuardAttacked,), "guard", "evaluations")
AUDIT = Topic("llm.audit.v1", (AuditEntry,), "workspace", "audit", compacted=True)
DEADLETTER = Topic("llm.deadletter.v1", (DeadLetter,), "the origin's key", "dead_letters")
# fmt: on

TOPICS = (
    REQUESTS,
    WORK,
    COMPLETIONS,
    RESPONSES,
    VERDICTS,
    EMBEDDINGS,
    OBSERVATIONS,
    FINDINGS,
    ALERTS,
    FEEDBACK,
    CONTROL,
    EVALUATIONS,
    AUDIT,
    DEADLETTER,
)


def work_topic(pool: str) -> str:
    """Return the name of the topic that holds the work of ``pool``."""
    return WORK.name.format(pool=pool)


def topic_of(name: str) -> Topic:
    """Return the topic called ``name``; the work topics of all pools are one kind.

    Raises:
        KeyError: If Tidegate has no such topic.
    """
    prefix, suffix = WORK.name.split("{pool}")
    if name.startswith(prefix) and name.endswith(suffix) and len(name) > len(prefix + suffix):
        return WORK
    for topic in TOPICS:
        if topic.name == name:
            return topic
    raise KeyError(name)
