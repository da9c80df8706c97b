"""What monitors and alerts say: observations, findings and the state of alerts."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, FiniteFloat

from schemas.base import Event, Frozen, Labels, Name, Origin, RequestId
from schemas.embeddings import TextEmbedded
from schemas.evaluations import GuardAttacked
from schemas.improving import (
    DeploymentChanged,
    FeedbackReceived,
    ReferenceReset,
    RolloverStep,
    ScaleDecided,
)
from schemas.requests import ResponseReleased
from schemas.verdicts import TextScanned

WHOLE_SYSTEM = "*"
"""Stands where a deployment's name would, in what concerns all of them."""


class PoolObserved(Frozen):
    """How one pool of workers stands: live members and requests not yet finished."""

    pool: Name
    live_workers: int = Field(ge=0)
    waiting_requests: int = Field(ge=0)


class Registered(Frozen):
    """What the registry says of a deployment: the versions of its files, and its pools."""

    deployment_version: str
    policy: Name
    policy_version: str
    pools: tuple[Name, ...]


class RequestOpened(Frozen):
    """A record stands on the request topic; it must end as one response or one dead letter."""

    request_id: str
    deadline_at: AwareDatetime


class RequestSettled(Frozen):
    """The record at ``request`` ended: as a response or as a dead letter."""

    request: Origin
    outcome: str


class Observation(Event):
    """One thing that happened to a deployment, on the way to its monitors.

    Exactly one of the payloads is set; none of them means that only time has passed. ``origin`` is
    the record it was made from, by which a monitor's process skips what it has applied already.
    What concerns the whole system, not one deployment, has the deployment :data:`WHOLE_SYSTEM`.
    """

    deployment: str
    origin: Origin
    response: ResponseReleased | None = None
    scanned: TextScanned | None = None
    pool: PoolObserved | None = None
    opened: RequestOpened | None = None
    settled: RequestSettled | None = None
    rated: FeedbackReceived | None = None
    embedded: TextEmbedded | None = None
    reset: ReferenceReset | None = None
    attacked: GuardAttacked | None = None
    registered: Registered | None = None
    control: Annotated[
        DeploymentChanged | RolloverStep | ScaleDecided | None, Field(discriminator="type")
    ] = None

    @property
    def is_tick(self) -> bool:
        """Whether only time has passed."""
        told = self.response or self.scanned or self.pool or self.opened or self.settled
        said = self.rated or self.embedded or self.reset
        return not (told or said or self.attacked or self.registered or self.control)


class CauseSegment(Frozen):
    """A part of the traffic in which a change sits, marked by one or two properties of requests.

    ``before`` and ``after`` are its rate (or mean, or share) then and since; ``explains`` is its
    part of the whole change, beyond 1 where the rest moved the other way; ``surprise`` and
    ``evidence`` are in nats, see :mod:`monitors.attribution`.
    """

    segment: Labels
    before: FiniteFloat
    after: FiniteFloat
    samples: int = Field(ge=0)
    explains: FiniteFloat
    surprise: FiniteFloat
    evidence: FiniteFloat
    exemplars: tuple[RequestId, ...] = ()


class ChangePoint(Frozen):
    """The likeliest moment of a change, and the interval of about 95 % for it."""

    at: AwareDatetime
    earliest_at: AwareDatetime
    latest_at: AwareDatetime


class Finding(Event):
    """A monitor's value, or its word that something changed.

    ``value`` and ``limit`` are in ``unit``. ``cause`` is the sentence an operator reads first.
    ``exemplars`` are requests that show it, most telling first. ``causes`` are the parts of the
    traffic in which a detection sits, best first; ``changed`` says when it began, ``beside`` what
    else changed then. ``e_value`` is the evidence that it is no chance: without a change, it
    reaches 1 / alpha on at most a share alpha of the days. A value that has one says that a change
    told before goes on and is surer.
    """

    monitor: Name
    monitor_version: str
    kind: Literal["value", "detection", "recovery"]
    deployment: str
    segment: Labels = Field(default_factory=dict)
    metric: str
    value: FiniteFloat
    limit: float | None = None
    baseline: float | None = None
    unit: str = ""
    samples: int = Field(default=0, ge=0)
    e_value: FiniteFloat | None = None
    since_at: AwareDatetime | None = None
    cause: str = ""
    exemplars: tuple[RequestId, ...] = Field(default=(), max_length=10)
    causes: tuple[CauseSegment, ...] = ()
    changed: ChangePoint | None = None
    beside: tuple[str, ...] = ()
    origin: Origin

    @property
    def key(self) -> str:
        """What it speaks of: the monitor, the deployment, the metric and the segment."""
        segment = ",".join(f"{name}={self.segment[name]}" for name in sorted(self.segment))
        return f"{self.monitor}|{self.deployment}|{self.metric}|{segment}"


class AlertChanged(Event):
    """An alert began, was taken note of, or ended."""

    alert_id: str
    firing: int = Field(ge=1, description="how often this alert has fired, this time included")
    rule: Name
    state: Literal["firing", "acknowledged", "resolved"]
    severity: Literal["info", "warning", "critical"]
    title: str
    cause: str
    deployment: str
    monitor: Name
    metric: str
    segment: Labels = Field(default_factory=dict)
    value: FiniteFloat
    limit: float | None = None
    baseline: float | None = None
    unit: str = ""
    since_at: AwareDatetime
    fired_at: AwareDatetime
    exemplars: tuple[RequestId, ...] = ()
    causes: tuple[CauseSegment, ...] = ()
    changed: ChangePoint | None = None
    beside: tuple[str, ...] = ()
    findings: tuple[str, ...] = Field(default=(), description="event ids of the findings behind it")
    origin: Origin
