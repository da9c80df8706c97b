"""Pure watching: guards over texts, monitors over what happens to a deployment."""

from __future__ import annotations

from monitors.guard import Guard
from monitors.injection import Injection
from monitors.pii import Pii
from monitors.refusal import Refusal
from monitors.secrets import Secrets
from monitors.tone import Tone

GUARDS: tuple[type[Guard], ...] = (
    Pii,
    Secrets,
    Injection,
    Tone,
    Refusal,
)
