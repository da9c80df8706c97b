"""How often the model declines: more than it did, or all of a sudden hardly ever."""

from __future__ import annotations

from dataclasses import dataclass

from monitors.monitor import Snapshot, finding
from monitors.rates import Shift
from monitors.shares import Shares
from monitors.state import dump, load
from monitors.wording import clock, examples, percent
from schemas.verdicts import Direction, Outcome
from schemas.watching import Finding, Observation

GUARD = "refusal"


@dataclass
class _State:
    shares: Shares


class RefusalShift:
    """Raise a finding when answers decline far more often than at first, or far less.

    A rise is customers left without help; a fall may be a model that has lost its caution.

    Args:
        warmup: Answers that say what is usual.
        arl: Answers between false alarms of each side, on average, at least.
    """

    name = "refusals"
    version = "2"

    def __init__(self, warmup: int = 200, arl: float = 1_000_000) -> None:
        self._state = _State(Shares(warmup, arl=arl))

    def observe(self, observation: Observation) -> list[Finding]:
        """Take in the verdict on one answer; say whether refusals left the usual or came back."""
        scanned = observation.scanned
        if scanned is None or scanned.direction is not Direction.ANSWER:
            return []
        outcomes = [v.outcome for v in scanned.verdicts if v.guard == GUARD]
        if not outcomes or outcomes[0] is Outcome.NOT_SCANNED:
            return []
        side = "answered" if outcomes[0] is Outcome.PASS else "refused"
        at = observation.occurred_at
        shifts = self._state.shares.observe((side,), at, scanned.request_id)
        return [self._say(observation, side, shift) for side, shift in shifts]

    def _say(self, observation: Observation, side: str, shift: Shift) -> Finding:
        rate = self._state.shares.rates[side]
        refused = side == "refused"
        share = shift.rate if refused else 1 - shift.rate
        usual = rate.baseline if refused else 1 - rate.baseline
        said = (
            f"{percent(share)} of answers declined over the last {shift.samples} "
            f"({percent(usual)} in the first {self._state.shares.warmup})"
        )
        if shift.kind == "recovery":
            cause = f"{said}, back to usual"
        else:
            cause = f"{said}, since {clock(shift.since_at)}"
        shown = shift.exemplars if refused else ()
        return finding(
            self,
            observation,
            "refusal_rate",
            kind=shift.kind,
            segment={"change": "rise" if refused else "fall"},
            value=share,
            limit=rate.usual if refused else 1 - rate.usual,
            baseline=usual,
            unit="share of answers",
            samples=shift.samples,
            since_at=shift.since_at,
            e_value=shift.e_value,
            cause=f"{cause}; deployment {observation.deployment}{examples(shown)}",
            exemplars=shown,
        )

    def snapshot(self) -> Snapshot:
        """Return the whole state as JSON."""
        return dump(self._state)

    def restore(self, snapshot: Snapshot) -> None:
        """Take on the state that :meth:`snapshot` returned."""
        self._state = load(_State, snapshot)
