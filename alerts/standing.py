"""How one alert stands."""

from __future__ import annotations

from datetime import datetime, timedelta

from pydantic import AwareDatetime, BaseModel, Field

from schemas.base import event_id
from schemas.watching import AlertChanged, Finding

FORGOTTEN_AFTER = timedelta(days=1)
"""How long an alert that ended is remembered at least, if there are very many."""


class Standing(BaseModel):
    """How one alert stands.

    Attributes:
        told: What was last said of it.
        cause: The finding it is pending or firing for.
        pending_at: Since when there is a reason for it.
        reasons: The keys of the findings that hold.
    """

    told: AlertChanged | None = None
    cause: Finding | None = None
    pending_at: AwareDatetime | None = None
    reasons: list[str] = Field(default_factory=list)

    @property
    def is_open(self) -> bool:
        """Whether it was told and is not over."""
        return self.told is not None and self.told.state != "resolved"

    @property
    def is_blank(self) -> bool:
        """Whether it was over before it was told: as if it had never been."""
        return self.told is None and not self.reasons

    def is_over(self, at: datetime) -> bool:
        """Return whether it ended so long before ``at`` that it may be forgotten."""
        if self.reasons or self.is_open or self.told is None:
            return False
        return at - self.told.occurred_at >= FORGOTTEN_AFTER


def withdrawn(told: AlertChanged, at: datetime) -> AlertChanged:
    """Return that the alert last told of in ``told`` is resolved, for its rule is gone."""
    return told.model_copy(
        update={
            "event_id": event_id("alert", told.event_id, "withdrawn"),
            "occurred_at": at,
            "state": "resolved",
            "cause": f"there is no rule {told.rule} any more",
        }
    )
