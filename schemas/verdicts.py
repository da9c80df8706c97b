"""What guards say about a text."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field

from schemas.base import Event, Frozen, Labels, Name, Origin, RequestId


class Direction(StrEnum):
    """Which side of the model a text stands on."""

    PROMPT = "prompt"
    PASSAGE = "passage"
    ANSWER = "answer"


class Action(StrEnum):
    """What a policy wants done when a guard speaks, weakest first.

    ``escalate``: the text goes on, and a person is to look at it.
    """

    FLAG = "flag"
    ESCALATE = "escalate"
    MASK = "mask"
    WITHHOLD = "withhold"
    BLOCK = "block"


class Outcome(StrEnum):
    """What a guard found; ``not_scanned`` is never a pass."""

    PASS = "pass"
    FLAG = "flag"
    ESCALATE = "escalate"
    MASK = "mask"
    WITHHOLD = "withhold"
    BLOCK = "block"
    NOT_SCANNED = "not_scanned"


class Span(Frozen):
    """A stretch of a text, in characters, end exclusive."""

    start: int = Field(ge=0)
    end: int = Field(ge=0)
    label: Name


class Verdict(Frozen):
    """What one guard says about one text, and how much of it it read.

    ``reason`` names the class of error behind ``not_scanned``, or is ``time_budget`` where the
    guard's time was up, or ``not_sampled`` where the policy has it read other texts only;
    ``failed`` then says what the policy did about it: let the text pass (``open``) or stop it
    (``closed``).
    """

    guard: Name
    guard_version: str
    outcome: Outcome
    score: float = Field(ge=0.0, le=1.0)
    threshold: float = Field(ge=0.0, le=1.0)
    spans: tuple[Span, ...] = ()
    scanned_chars: int = Field(ge=0)
    total_chars: int = Field(ge=0)
    latency_ms: float = Field(ge=0.0, allow_inf_nan=False)
    reason: str = ""
    failed: Literal["", "open", "closed"] = ""


class TextScanned(Event):
    """One text with one verdict per required guard.

    ``metadata`` is its request's, and stands with the prompt alone: there is one of it, but of
    passages as many as the client likes.
    """

    request_id: RequestId
    workspace: str
    deployment: str
    deployment_version: str
    policy: str
    policy_version: str
    direction: Direction
    text_index: int = Field(default=0, ge=0)
    text_sha256: str
    metadata: Labels = Field(default_factory=dict)
    verdicts: tuple[Verdict, ...]
    origin: Origin
