"""Where texts lie: what is known of their meaning once they are turned into vectors."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, Field

from schemas.base import Event, Name, Origin, RequestId
from schemas.verdicts import Direction

VECTOR_CHARS_MAX = 16_384
"""Of a vector on the wire: up to 6,144 components."""


class TextEmbedded(Event):
    """A masked prompt or answer as a unit vector.

    ``vector`` is the base64 of little-endian float16 components, which :mod:`monitors.vectors`
    reads; ``model`` says what made them: only vectors of one model can be compared. ``topic`` is
    what the router took the request to be about. ``share`` is the part of the deployment's
    conversations whose texts were being embedded; ``latency_ms`` this text's part of the time that
    those embedded with it took.
    """

    request_id: RequestId
    workspace: str
    deployment: str
    deployment_version: str
    conversation_id: RequestId | None = None
    requested_at: AwareDatetime
    direction: Literal[Direction.PROMPT, Direction.ANSWER]
    topic: Name | None = None
    text_sha256: str
    model: Name
    vector: str = Field(min_length=4, max_length=VECTOR_CHARS_MAX)
    share: float = Field(gt=0, le=1)
    latency_ms: float = Field(ge=0, allow_inf_nan=False)
    origin: Origin
