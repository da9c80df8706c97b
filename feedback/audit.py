"""A trail of changes that cannot be altered unnoticed: each entry holds the hash of the last."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import orjson

from schemas.base import event_id
from schemas.improving import AuditEntry

BEGINNING = "0" * 64
"""Stands where the hash of the entry before the first would."""


@dataclass(frozen=True)
class Break:
    """Where a trail does not hold, and why."""

    sequence: int
    reason: str


def entry_after(
    previous: AuditEntry | None,
    *,
    workspace: str,
    at: datetime,
    actor: str,
    action: str,
    subject: str,
    details: Mapping[str, str] | None = None,
) -> AuditEntry:
    """Return the entry that follows ``previous`` in the trail of ``workspace``.

    Args:
        previous: The last entry of the trail; None for the first.
        workspace: Whose trail it is.
        at: When it happened.
        actor: The person or role that did it.
        action: What was done, as a name.
        subject: What it was done to.
        details: Anything else worth keeping; never raw text.

    Raises:
        ValueError: If ``previous`` is of another workspace.
    """
    if previous is not None and previous.workspace != workspace:
        raise ValueError(f"the trail of {previous.workspace!r} does not go on in {workspace!r}")
    sequence = 0 if previous is None else previous.sequence + 1
    entry = AuditEntry(
        event_id=event_id("audit", workspace, sequence),
        occurred_at=at,
        workspace=workspace,
        sequence=sequence,
        actor=actor,
        action=action,
        subject=subject,
        details=dict(details or {}),
        previous_sha256=BEGINNING if previous is None else previous.sha256,
        sha256="",
    )
    return entry.model_copy(update={"sha256": fingerprint(entry)})


def fingerprint(entry: AuditEntry) -> str:
    """Return the hash of everything in ``entry`` but the hash itself."""
    content = entry.model_dump(mode="json", exclude={"sha256"})
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


def first_break(entries: Iterable[AuditEntry], head_sha256: str | None = None) -> Break | None:
    """Return where the trail of one workspace, read from its beginning, does not hold.

    Args:
        entries: The entries in order.
        head_sha256: The hash of the newest entry as it was noted elsewhere; without it, entries cut
            off at the end cannot be noticed.
    """
    expected, last, workspace = 0, BEGINNING, None
    for entry in entries:
        workspace = workspace or entry.workspace
        if entry.workspace != workspace:
            return Break(expected, f"belongs to {entry.workspace!r}, not {workspace!r}")
        if entry.sequence != expected:
            return Break(expected, f"is missing: number {entry.sequence} stands there")
        if entry.previous_sha256 != last:
            return Break(expected, "does not follow from the entry before it")
        if entry.sha256 != fingerprint(entry):
            return Break(expected, "was altered: its hash does not fit its content")
        expected, last = expected + 1, entry.sha256
    if head_sha256 is not None and head_sha256 != last:
        return Break(expected, "is missing: the newest entry is not the one noted elsewhere")
    return None
