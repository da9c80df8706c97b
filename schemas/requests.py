"""A request and its way to a model: asked, admitted, finished, released."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import cached_property
from hashlib import sha256
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, field_validator, model_validator

from schemas.base import Detail, Event, Frozen, Labels, Name, Origin, RequestId
from schemas.verdicts import TextScanned

TURN_END = "\n"
"""Stands between the turns of a conversation where they are read as one text."""
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class Message(Frozen):
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


class Sampling(Frozen):
    """How the answer is sampled; the defaults answer the same question the same way."""

    max_tokens: int = Field(default=256, ge=1, le=32_768)
    temperature: float = Field(default=0.0, ge=0.0, le=2.0)
    top_p: float = Field(default=1.0, gt=0.0, le=1.0)
    seed: int = 0
    stop: tuple[str, ...] = Field(default=(), max_length=8)


class CompletionRequested(Frozen):
    """What an application asks; ``request_id`` and a prompt are enough.

    Absent fields are taken from the record (its timestamp and position), so that reading the same
    record again gives the same event. ``request_id`` is an idempotency key.

    Raises:
        pydantic.ValidationError: If there is no text to answer, both ``prompt`` and ``messages``
            are given, or a text holds a control character other than tab and line end.
    """

    schema_version: Literal[1] = 1
    request_id: RequestId
    event_id: UUID | None = None
    occurred_at: AwareDatetime | None = None
    prompt: str | None = None
    messages: tuple[Message, ...] = Field(default=(), max_length=200)
    passages: tuple[str, ...] = Field(default=(), max_length=64)
    workspace: Name = "default"
    deployment: Name = "default"
    conversation_id: RequestId | None = None
    sampling: Sampling = Sampling()
    metadata: Labels = Field(default_factory=dict, max_length=64)
    deadline_at: AwareDatetime | None = None

    @field_validator("prompt", "messages", "passages")
    @classmethod
    def _no_control_characters(
        cls, value: str | tuple[Message | str, ...] | None
    ) -> str | tuple[Message | str, ...] | None:
        parts = [value] if isinstance(value, str) else list(value or ())
        for part in parts:
            text = part.content if isinstance(part, Message) else part
            if found := _CONTROL.search(text):
                raise ValueError(
                    f"control character U+{ord(found[0]):04X} at position {found.start()}"
                )
        return value

    @model_validator(mode="after")
    def _has_one_text(self) -> CompletionRequested:
        if self.prompt is not None and self.messages:
            raise ValueError("give either prompt or messages, not both")
        if not any(message.content.strip() for message in self.turns):
            raise ValueError("the prompt is empty")
        return self

    @cached_property
    def turns(self) -> tuple[Message, ...]:
        """The conversation to answer, whichever way it was given."""
        return self.messages or (Message(role="user", content=self.prompt or ""),)

    @cached_property
    def prompt_text(self) -> str:
        """Everything the application says to the model, passages apart, as one text."""
        return TURN_END.join(message.content for message in self.turns)

    @cached_property
    def prompt_sha256(self) -> str:
        """The digest of :attr:`prompt_text`, by which equal prompts are known as equal."""
        return sha256(self.prompt_text.encode()).hexdigest()

    @property
    def key(self) -> str:
        """What keeps order: the conversation, else the request itself."""
        return self.conversation_id or self.request_id


class Route(Frozen):
    """Why a request went to its pool, and what it is about."""

    pool: Name
    topic: Name
    difficulty: float = Field(ge=0.0, le=1.0)
    reason: str


class Served(Frozen):
    """What every later event repeats of the request and of what served it."""

    request_id: RequestId
    workspace: Name
    deployment: Name
    deployment_version: str
    policy: Name
    policy_version: str
    conversation_id: RequestId | None = None
    metadata: Labels = Field(default_factory=dict)
    requested_at: AwareDatetime
    deadline_at: AwareDatetime
    origin: Origin

    @property
    def key(self) -> str:
        """What keeps order: the conversation, else the request itself."""
        return self.conversation_id or self.request_id


class CompletionAdmitted(Event, Served):
    """A masked request on its way to the workers of one pool.

    ``requested_at`` is the broker's time of the request; ``sealed`` the encrypted map from
    placeholders to the values they stand for.
    """

    route: Route
    messages: tuple[Message, ...]
    passages: tuple[str, ...] = ()
    sampling: Sampling
    sealed: str | None = None
    prompt_sha256: str
    prompt_chars: int = Field(ge=0)


class FailureReason(StrEnum):
    """Why a request has no answer."""

    INVALID = "invalid"
    TOO_LARGE = "too_large"
    DEADLINE = "deadline"
    NO_POOL = "no_pool"
    ENGINE = "engine"
    CRASHED = "crashed"


class Failure(Frozen):
    """A failure that is an outcome: recorded, counted and answered."""

    reason: FailureReason
    detail: Detail = ""


class Usage(Frozen):
    """Tokens read and written."""

    prompt_tokens: int = Field(default=0, ge=0)
    completion_tokens: int = Field(default=0, ge=0)
    cached_tokens: int = Field(default=0, ge=0)


class Timings(Frozen):
    """Where the time went, in seconds; the worker's clock but for ``admitted_at``."""

    admitted_at: AwareDatetime
    taken_at: AwareDatetime
    first_token_at: AwareDatetime | None = None
    last_token_at: AwareDatetime | None = None
    queue_s: float = Field(default=0.0, ge=0.0)
    ttft_s: float | None = Field(default=None, ge=0.0)
    tpot_s: float | None = Field(default=None, ge=0.0)
    generation_s: float = Field(default=0.0, ge=0.0)


class Stopped(Frozen):
    """An answer that a guard stopped while it was generated.

    ``released_chars`` is what a reader who follows answers as they grow would have seen of it, with
    the last ``hold_back_chars`` always kept back.
    """

    guard: Name
    generated_chars: int = Field(ge=0)
    released_chars: int = Field(ge=0)
    hold_back_chars: int = Field(ge=0)


class Asked(Frozen):
    """What an answer was given to, masked as the model saw it."""

    messages: tuple[Message, ...]
    passages: tuple[str, ...] = ()


class CompletionFinished(Event, Served):
    """What a model made of a request, masked; ``failure`` says why there is no text.

    ``asked`` is there only where a guard of the deployment's policy judges answers beside it.
    """

    pool: Name
    model: str
    engine: str
    route: Route
    text: str = ""
    finish_reason: Literal["stop", "length", "abort", "none"] = "none"
    failure: Failure | None = None
    usage: Usage = Usage()
    timings: Timings
    mean_logprob: float | None = None
    scanned: TextScanned | None = None
    stopped: Stopped | None = None
    sealed: str | None = None
    asked: Asked | None = None
    prompt_sha256: str
    prompt_chars: int = Field(ge=0)
    worker: str


class ResponseStatus(StrEnum):
    """How a request ended; exactly one of these each."""

    RELEASED = "released"
    MASKED = "masked"
    WITHHELD = "withheld"
    BLOCKED = "blocked"
    FAILED = "failed"


class ResponseReleased(Event):
    """The one answer to a request.

    ``text`` is for the application and may hold restored values; ``text_masked`` is the same text
    with placeholders, and the only one that is stored. A request that could not be read far enough
    to know what served it has ``served`` None.
    """

    request_id: RequestId
    workspace: str
    deployment: str
    status: ResponseStatus
    failure: Failure | None = None
    guards: tuple[Name, ...] = ()
    text: str = ""
    text_masked: str = ""
    finish_reason: Literal["stop", "length", "abort", "none"] = "none"
    served: Served | None = None
    pool: str | None = None
    model: str | None = None
    route: Route | None = None
    usage: Usage = Usage()
    timings: Timings | None = None
    mean_logprob: float | None = None
    stopped: Stopped | None = None
    prompt_chars: int = Field(default=0, ge=0)
    answer_chars: int = Field(default=0, ge=0)
    requested_at: AwareDatetime
    origin: Origin
