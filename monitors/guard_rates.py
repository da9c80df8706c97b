"""How often each guard speaks: bursts of attacks, leaks and failing guards."""

from __future__ import annotations

from dataclasses import dataclass, field

from monitors.judging import NOT_SAMPLED
from monitors.monitor import Snapshot, finding
from monitors.rates import Shift
from monitors.shares import Shares
from monitors.state import dump, load
from monitors.wording import clock, examples, percent
from schemas.verdicts import Outcome, TextScanned, Verdict
from schemas.watching import Finding, Observation

Shifts = list[tuple[str, Shift]]

FLAGGED = "flagged"
NOT_SCANNED = "not_scanned"
RECENT_MAX = 16
_WATCHED_ELSEWHERE = frozenset({"refusal"})
"""Guards whose rate has a monitor of its own, lest one cause raise two alerts."""


@dataclass
class _Stream:
    """The texts that one guard reads on one side of the model.

    Of the whole rate and those of its kinds, which rise together, only the first to do so is told,
    ``told``, and its end once all of them are back.
    """

    shares: Shares
    told: str | None = None
    recent: list[str] = field(default_factory=list)


@dataclass
class _State:
    streams: dict[str, _Stream] = field(default_factory=dict)


class GuardRates:
    """Raise a finding when a guard speaks, or fails, far more often than it did at first.

    One rate per guard and side of the model, and for guards that mask one per kind of what they
    mask. Several texts of one request are one piece of evidence. See
    :class:`monitors.rates.RateShift` for when it speaks and how seldom it does so wrongly.

    Args:
        warmup: Texts of each guard and side that say what is usual.
        arl: Texts between false alarms of one rate, on average, at least.
    """

    name = "guard_rates"
    version = "2"

    def __init__(self, warmup: int = 200, arl: float = 100_000) -> None:
        self._warmup = warmup
        self._arl = arl
        self._state = _State()

    def observe(self, observation: Observation) -> list[Finding]:
        """Take in the verdicts on one text; say which rates left the usual or came back."""
        scanned = observation.scanned
        if scanned is None:
            return []
        return [
            told
            for verdict in scanned.verdicts
            if verdict.guard not in _WATCHED_ELSEWHERE and verdict.reason != NOT_SAMPLED
            for told in self._of(observation, scanned, verdict)
        ]

    def _of(
        self, observation: Observation, scanned: TextScanned, verdict: Verdict
    ) -> list[Finding]:
        key = f"{verdict.guard}|{scanned.direction.value}"
        stream = self._state.streams.get(key)
        if stream is None:
            stream = _Stream(Shares(self._warmup, arl=self._arl))
            self._state.streams[key] = stream
        labels = _labels(verdict)
        if labels and scanned.request_id in stream.recent:
            return []
        if labels:
            stream.recent = [scanned.request_id, *stream.recent][:RECENT_MAX]
        shifts = stream.shares.observe(labels, observation.occurred_at, scanned.request_id)
        return [
            self._say(observation, scanned, verdict.guard, stream.shares, label, shift, shifts)
            for label, shift in _worth_telling(stream, shifts)
        ]

    def _say(
        self,
        observation: Observation,
        scanned: TextScanned,
        guard: str,
        shares: Shares,
        label: str,
        shift: Shift,
        beside: Shifts,
    ) -> Finding:
        rate = shares.rates[label]
        direction = scanned.direction.value
        kind, _, what = label.partition(":")
        did = f"{guard} could not scan" if kind == NOT_SCANNED else f"{guard} flagged"
        of = f"{percent(shift.rate)} of {direction}s{f' for {what}' if what else ''}"
        usual = f"{percent(rate.baseline)} in the first {shares.warmup}"
        if shift.kind == "recovery":
            cause = f"{did} {of} over the last {shift.samples}, back to usual ({usual})"
        else:
            made_of = _made_of(shares, beside) if label == FLAGGED else ""
            cause = (
                f"{did} {of} over the last {shift.samples} ({usual}){made_of}, "
                f"since {clock(shift.since_at)}"
            )
        return finding(
            self,
            observation,
            f"{kind}_rate",
            kind=shift.kind,
            segment={"guard": guard, "direction": direction} | ({"label": what} if what else {}),
            value=shift.rate,
            limit=rate.usual,
            baseline=rate.baseline,
            unit="share of texts",
            samples=shift.samples,
            since_at=shift.since_at,
            cause=f"{cause}; deployment {observation.deployment}{examples(shift.exemplars)}",
            exemplars=shift.exemplars,
            e_value=shift.e_value,
        )

    def snapshot(self) -> Snapshot:
        """Return the whole state as JSON."""
        return dump(self._state)

    def restore(self, snapshot: Snapshot) -> None:
        """Take on the state that :meth:`snapshot` returned."""
        self._state = load(_State, snapshot)


def _labels(verdict: Verdict) -> set[str]:
    if verdict.outcome is Outcome.NOT_SCANNED:
        return {NOT_SCANNED}
    if verdict.outcome is Outcome.PASS:
        return set()
    kinds = verdict.spans if verdict.outcome is Outcome.MASK else ()
    return {FLAGGED, *(f"{FLAGGED}:{span.label}" for span in kinds)}


def _worth_telling(stream: _Stream, shifts: Shifts) -> Shifts:
    """Return the shifts that are news, see :class:`_Stream`; failures to scan always are."""
    news = []
    for label, shift in shifts:
        if shift.kind == "value":
            if label in (stream.told, NOT_SCANNED):
                news.append((label, shift))
        elif label == NOT_SCANNED:
            news.append((label, shift))
        elif shift.kind == "detection" and stream.told is None:
            stream.told = label
            news.append((label, shift))
        elif shift.kind == "recovery" and stream.told is not None and not _flagging(stream.shares):
            news.append((stream.told, shift))
            stream.told = None
    return news


def _flagging(shares: Shares) -> bool:
    return any(rate.firing for label, rate in shares.rates.items() if label != NOT_SCANNED)


def _made_of(shares: Shares, beside: Shifts) -> str:
    """Return which kinds a guard's whole rate is made of, largest first."""
    kinds = {label: rate.hits / rate.samples for label, rate in shares.rates.items() if rate.hits}
    kinds |= {label: shift.rate for label, shift in beside}
    kinds = {label.partition(":")[2]: rate for label, rate in kinds.items() if ":" in label}
    largest = sorted(kinds, key=lambda kind: (-kinds[kind], kind))[:3]
    return "".join(f", {kind} {percent(kinds[kind])}" for kind in largest)
