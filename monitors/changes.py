"""What changed about a deployment apart from its traffic: versions, rollovers, workers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from monitors.monitor import Snapshot
from monitors.state import dump, load
from monitors.wording import clock, percent
from schemas.improving import DeploymentChanged, RolloverStep, ScaleDecided
from schemas.requests import Served
from schemas.watching import Observation, Registered

CHANGES_MAX = 16


@dataclass
class _State:
    """``versions`` is what holds now, by what it is of, and ``former`` what held before it."""

    versions: dict[str, str] = field(default_factory=dict)
    former: dict[str, str] = field(default_factory=dict)
    changes: list[tuple[datetime, str]] = field(default_factory=list)
    registered: Registered | None = None


class Changes:
    """Remember what changed lately: what is decided, what serves, and which workers live.

    A version is told when it is announced or first answers, whichever comes sooner. Answers of the
    version before come for a while after a change and say nothing.
    """

    def __init__(self) -> None:
        self._state = _State()

    def observe(self, observation: Observation) -> None:
        """Take in what happened."""
        at = observation.occurred_at
        if observation.pool is not None:
            name = f"workers of pool {observation.pool.pool}"
            self._note(name, f"{name}: {observation.pool.live_workers}", at)
        elif observation.control is not None:
            self._decided(observation.control, at)
        elif observation.registered is not None:
            self._state.registered = observation.registered
        elif observation.response is not None and observation.response.served is not None:
            for what, value in _versions(observation.response.served):
                if value != self._state.former.get(what):
                    self._note(what, value, at)

    def announced(self, observation: Observation) -> DeploymentChanged | None:
        """Return what is to be announced because of ``observation``, before it is taken in.

        That is the case where the registry says otherwise of the deployment than it did before.
        """
        now, before = observation.registered, self._state.registered
        if now is None or now == before:
            return None
        return DeploymentChanged(
            event_id=observation.origin.cause("deployment_changed", observation.deployment),
            occurred_at=observation.occurred_at,
            deployment=observation.deployment,
            previous_version=before.deployment_version if before else None,
            **now.model_dump(),
        )

    def since(self, earliest: datetime) -> tuple[str, ...]:
        """Return what changed from ``earliest`` on, each with its time of day."""
        return tuple(f"{clock(at)} {what}" for at, what in self._state.changes if at >= earliest)

    def _decided(
        self, event: DeploymentChanged | RolloverStep | ScaleDecided, at: datetime
    ) -> None:
        if isinstance(event, DeploymentChanged):
            for what, value in _versions(event):
                self._note(what, value, at)
        elif isinstance(event, RolloverStep):
            step = event.step.replace("_", " ")
            share = percent(event.share)
            said = f"version {event.candidate_version} {step}, with {share} of the requests"
            self._note("rollover", said, at, tell_first=True)
        else:
            name = f"workers wanted in pool {event.pool}"
            self._state.versions.setdefault(name, f"{name}: {event.previous_workers}")
            self._note(name, f"{name}: {event.workers}", at)

    def _note(self, what: str, value: str, at: datetime, *, tell_first: bool = False) -> None:
        state = self._state
        before = state.versions.get(what)
        if before == value:
            return
        state.versions[what] = value
        if before is not None:
            state.former[what] = before
            value += f" (before: {before})"
        if before is not None or tell_first:
            state.changes = [*state.changes, (at, value)][-CHANGES_MAX:]

    def snapshot(self) -> Snapshot:
        """Return the whole state as JSON."""
        return dump(self._state)

    def restore(self, snapshot: Snapshot) -> None:
        """Take on the state that :meth:`snapshot` returned."""
        self._state = load(_State, snapshot)


def _versions(of: Served | DeploymentChanged) -> tuple[tuple[str, str], tuple[str, str]]:
    """Return the versions that an event names, by what they are of."""
    return (
        ("version", f"deployment version {of.deployment_version}"),
        ("policy", f"policy {of.policy} {of.policy_version}"),
    )
