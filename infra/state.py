"""What the supervisor says of itself: a small file that every command can read."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from infra.keys import write_private


class Phase(StrEnum):
    """Where a part, or the whole system, stands."""

    WAITING = "waiting"
    PREPARING = "preparing"
    STARTING = "starting"
    READY = "ready"
    BACKOFF = "back-off"
    DRAINING = "draining"
    STOPPED = "stopped"
    FAILED = "failed"


class PartState(BaseModel):
    """How one part stands.

    Attributes:
        pid: Its process, which leads its group and session; None while there is none.
        pipe: The inode of the pipe that takes its output: what writes to it is ours.
        restarts: How often it was started again.
        since_at: When it came to be in this phase.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    phase: Phase = Phase.WAITING
    pid: int | None = None
    pipe: int | None = None
    restarts: int = 0
    since_at: AwareDatetime
    detail: str = ""


class State(BaseModel):
    """How the whole system stands."""

    model_config = ConfigDict(frozen=True)

    pid: int
    phase: Phase
    started_at: AwareDatetime
    parts: tuple[PartState, ...] = ()
    error: str = ""

    def write(self, run: Path) -> None:
        """Put the state into the folder ``run``, whole or not at all."""
        write_private(run / "state.json", self.model_dump_json())


def read_state(run: Path) -> State | None:
    """Return the state last written to the folder ``run``; None if there is none to be read."""
    try:
        return State.model_validate_json((run / "state.json").read_bytes())
    except (OSError, ValidationError):
        return None
