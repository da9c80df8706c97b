"""What people and the loop of improvement say: feedback, control and audit."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from schemas.base import Event, Labels, Name, RequestId


class FeedbackReceived(Event):
    """A person's word on one answer."""

    type: Literal["feedback_received"] = "feedback_received"
    request_id: RequestId
    deployment: str = "default"
    workspace: str = "default"
    author: str
    label: Name | None = None
    guard: Name | None = None
    rating: int | None = Field(default=None, ge=1, le=5)
    edit_masked: str | None = None


class AlertAcknowledged(Event):
    """A person has seen an alert and answers for it."""

    type: Literal["alert_acknowledged"] = "alert_acknowledged"
    alert_id: str
    author: str
    note: str = ""


class ReferenceReset(Event):
    """A person says that what is usual is to be learned anew.

    ``series`` names what of the deployment; nothing means all that its monitors of drift follow.
    """

    type: Literal["reference_reset"] = "reference_reset"
    deployment: str
    series: Name | None = None
    author: str
    reason: str


class RetrainRequested(Event):
    """Evidence that a guard or adapter should be trained again."""

    type: Literal["retrain_requested"] = "retrain_requested"
    deployment: str
    target: Name
    reason: str
    evidence: tuple[str, ...] = ()


class RolloverRequested(Event):
    """A person or the loop asks for another version to take the traffic."""

    type: Literal["rollover_requested"] = "rollover_requested"
    deployment: str
    to_version: str
    author: str
    reason: str


class DeploymentChanged(Event):
    """A deployment's registry files changed."""

    type: Literal["deployment_changed"] = "deployment_changed"
    deployment: str
    deployment_version: str
    previous_version: str | None = None
    policy: str
    policy_version: str
    pools: tuple[Name, ...]


class RolloverStep(Event):
    """One step of a rollover: which share of the traffic the candidate takes."""

    type: Literal["rollover_step"] = "rollover_step"
    deployment: str
    candidate_version: str
    step: Literal["shadow", "canary", "promoted", "rolled_back"]
    share: float = Field(ge=0.0, le=1.0)
    reason: str = ""


class ScaleDecided(Event):
    """How many workers a pool should have, and why."""

    type: Literal["scale_decided"] = "scale_decided"
    deployment: str
    pool: Name
    workers: int = Field(ge=0)
    previous_workers: int = Field(ge=0)
    reason: str


class BudgetSettled(Event):
    """What a workspace spent in a period, against its cap."""

    type: Literal["budget_settled"] = "budget_settled"
    deployment: str
    workspace: str
    spent_usd: float = Field(ge=0.0)
    cap_usd: float | None = Field(default=None, ge=0.0)


class AuditEntry(Event):
    """One change of state, chained to the one before it by hash."""

    workspace: str
    sequence: int = Field(ge=0)
    actor: str
    action: Name
    subject: str
    details: Labels = Field(default_factory=dict)
    previous_sha256: str
    sha256: str
