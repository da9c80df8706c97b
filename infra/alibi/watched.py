"""The prompts or answers of one deployment, watched by one of alibi-detect's detectors."""

from __future__ import annotations

import logging
import zlib
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import numpy as np

from infra.alibi.fitting import WINDOW, Floats, Name, Online, update
from schemas.base import Origin
from schemas.embeddings import TextEmbedded
from schemas.watching import Finding

Kind = Literal["value", "detection", "recovery"]
Fit = Callable[[Floats, int], Online]
"""Fits a detector to a reference, shape (texts, width), with a seed."""

MONITORS = {"mmd": "alibi_mmd", "lsdd": "alibi_lsdd"}
METRICS = {"mmd": "squared_mmd", "lsdd": "lsdd"}
QUIET = 4 * WINDOW
"""After so many texts without a detection, the one before is over."""
_VERSION = "1"
_CONVERSATIONS = 1000
_EXEMPLARS = 5

log = logging.getLogger(__name__)


@dataclass
class State:
    """What is kept of the texts of one deployment and direction; all of it is JSON.

    Attributes:
        next_offset: Of the topic's partition: what lies before is taken in.
        version: Of the deployment, whose texts these are.
        model: What made their vectors.
        since: The time of its first request.
        reference: Vectors, as on the wire.
        window: Vectors and their requests since the detector began, the last :data:`WINDOW`.
        texts: How many there were since then.
        quiet: How many since the last detection; None where that is over, or there was none.
        conversations: The last that were seen.
    """

    next_offset: int = 0
    version: str = ""
    model: str = ""
    since: str = ""
    reference: list[str] = field(default_factory=list)
    window: list[tuple[str, str]] = field(default_factory=list)
    texts: int = 0
    quiet: int | None = None
    conversations: list[str] = field(default_factory=list)


class Watched:
    """Compare the texts of one deployment and direction with its first ones, a window at a time.

    The first texts of a deployment's version are its reference. A conversation counts with its
    first text alone. Every :data:`WINDOW` texts the level is stated; beyond the limit is a
    detection, after which the detector begins again. The same records give the same findings.

    Args:
        deployment: Whose.
        direction: Prompts or answers.
        name: The detector's.
        wanted: Texts that make a reference.
        fit: Fits a detector; reading waits for it.
        state: What was kept, to go on from.
    """

    def __init__(
        self, deployment: str, direction: str, name: Name, wanted: int, fit: Fit, state: State
    ) -> None:
        self.state = state
        self._deployment = deployment
        self._direction = direction
        self._name = name
        self._wanted = wanted
        self._fit = fit
        self._detector: Online | None = None

    def read(self, text: TextEmbedded, origin: Origin, at: datetime) -> Finding | None:
        """Take in one text and return the finding there is because of it.

        Args:
            text: What was embedded.
            origin: Where its record lies.
            at: The broker's time of that.

        Raises:
            ValueError: If its vector is none, or none like the others.
        """
        if origin.offset < self.state.next_offset:
            return None
        self.state.next_offset = origin.offset + 1
        vector = unpacked(text.vector)
        if not self._belongs(text):
            return None
        state = self.state
        if state.reference and len(unpacked(state.reference[0])) != len(vector):
            raise ValueError(f"a vector of {len(vector)} numbers is not like those before")
        if len(state.reference) < self._wanted:
            state.reference.append(text.vector)
            return None
        detector = self._detector = self._detector or self._fitted()
        value, limit = update(detector, vector)
        state.texts += 1
        state.window = [*state.window, (text.vector, text.request_id)][-WINDOW:]
        kind = self._judged(value > limit)
        found = self._say(kind, value, limit, origin, at) if kind else None
        if kind == "detection":
            detector.reset_state()
            state.window, state.texts = [], 0
        return found

    def _belongs(self, text: TextEmbedded) -> bool:
        """Return whether to read the text; that of a newer version begins a new reference.

        Requests that were under way when a version changed belong to neither.
        """
        if (text.deployment_version, text.model) != (self.state.version, self.state.model):
            if self.state.since and text.requested_at < datetime.fromisoformat(self.state.since):
                return False
            self.state = State(
                next_offset=self.state.next_offset,
                version=text.deployment_version,
                model=text.model,
                since=text.requested_at.isoformat(),
            )
            self._detector = None
        known = self.state.conversations
        if text.conversation_id in known:
            return False
        if text.conversation_id is not None:
            self.state.conversations = [*known, text.conversation_id][-_CONVERSATIONS:]
        return True

    def _fitted(self) -> Online:
        """Return a detector that has come as far as the one before a restart."""
        whose = f"{self._direction}s of {self._deployment}"
        log.info("fitting %s to %d %s", self._name, len(self.state.reference), whose)
        reference = np.array([unpacked(vector) for vector in self.state.reference])
        detector = self._fit(reference, zlib.crc32(f"{whose}|{self.state.version}".encode()))
        for vector, _ in self.state.window:
            detector.score(unpacked(vector))
        log.info("watching the %s", whose)
        return detector

    def _judged(self, is_far: bool) -> Kind | None:
        """Return the kind of finding that there is now, if any."""
        state = self.state
        if is_far:
            state.quiet = 0
            return "detection"
        if state.quiet is not None:
            state.quiet += 1
            if state.quiet >= QUIET:
                state.quiet = None
                return "recovery"
        return None if state.texts % WINDOW else "value"

    def _say(self, kind: Kind, value: float, limit: float, origin: Origin, at: datetime) -> Finding:
        monitor = MONITORS[self._name]
        requests = dict.fromkeys(request for _, request in reversed(self.state.window))
        return Finding(
            event_id=origin.cause("finding", monitor, kind),
            occurred_at=at,
            monitor=monitor,
            monitor_version=_VERSION,
            kind=kind,
            deployment=self._deployment,
            segment={"direction": self._direction},
            metric=METRICS[self._name],
            value=value,
            limit=limit,
            samples=self.state.texts,
            cause=self._sentence(kind, value, limit),
            exemplars=tuple(requests)[:_EXEMPLARS] if kind == "detection" else (),
            origin=origin,
        )

    def _sentence(self, kind: Kind, value: float, limit: float) -> str:
        texts = f"{self._direction}s of {self._deployment}"
        against = f"the first {len(self.state.reference)} of version {self.state.version}"
        if kind == "recovery":
            return f"{texts}: in {QUIET} texts nothing sets them apart from {against}"
        lie = "lie elsewhere than" if kind == "detection" else "are compared with"
        return f"{texts} {lie} {against}: {METRICS[self._name]} {value:.3g}, limit {limit:.3g}"


def unpacked(text: str) -> Floats:
    """Return the vector that ``text`` holds, shape (width,): base64 of little-endian float16.

    Raises:
        ValueError: If it holds none, or one that is not finite.
    """
    vector = np.frombuffer(b64decode(text, validate=True), "<f2").astype(np.float32)
    if not vector.size or not np.isfinite(vector).all():
        raise ValueError("not a vector of finite numbers")
    return vector
