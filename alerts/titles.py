"""What an alert is called, from the finding alone: a new monitor needs no entry here."""

from __future__ import annotations

from schemas.watching import WHOLE_SYSTEM, Finding


def title(finding: Finding) -> str:
    """Return a few words for a list of alerts: what, of which part, where.

    >>> from schemas.base import Origin, event_id
    >>> from datetime import UTC, datetime
    >>> told = Finding(
    ...     event_id=event_id("finding", 1), occurred_at=datetime(2024, 5, 1, tzinfo=UTC),
    ...     monitor="guard_rates", monitor_version="1", kind="detection", deployment="bank",
    ...     segment={"guard": "injection", "direction": "prompt"}, metric="flagged_rate",
    ...     value=0.38, origin=Origin(topic="t", partition=0, offset=1),
    ... )
    >>> title(told)
    'Flagged rate: injection, prompt (bank)'
    """
    what = finding.metric.removesuffix("_s").replace("_", " ").capitalize()
    part = ", ".join(finding.segment.values())
    where = "all deployments" if finding.deployment == WHOLE_SYSTEM else finding.deployment
    return f"{what}{f': {part}' if part else ''} ({where})"
