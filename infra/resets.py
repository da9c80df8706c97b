"""A person's word that what is usual of a deployment is to be learned anew."""

from __future__ import annotations

from datetime import UTC, datetime

from infra.roles import checked_registry
from infra.settings import Settings
from monitors.drift_levels import CATEGORIES, NUMBERS
from monitors.embedding_drift import SERIES
from schemas.base import event_id
from schemas.errors import ConfigError
from schemas.improving import ReferenceReset
from streams.saying import say


async def reset_reference(
    settings: Settings, deployment: str, series: str | None, author: str, reason: str
) -> None:
    """Write that the references of a deployment begin anew, or that of one series.

    Raises:
        ConfigError: If there is no such deployment or series.
        LogUnavailable: If Kafka does not answer.
    """
    deployments = checked_registry(settings.registry).deployments
    if deployment not in deployments:
        known = ", ".join(sorted(deployments))
        raise ConfigError(f"no deployment {deployment!r}; there are: {known}")
    followed = sorted([*NUMBERS, *CATEGORIES, *SERIES.values()])
    if series is not None and series not in followed:
        raise ConfigError(f"no series {series!r}; there are: {', '.join(followed)}", key="--series")
    at = datetime.now(UTC)
    word = ReferenceReset(
        event_id=event_id("reference_reset", deployment, series or "", author, at.isoformat()),
        occurred_at=at,
        deployment=deployment,
        series=series,
        author=author,
        reason=reason,
    )
    await say(settings.connection(), deployment, word)
