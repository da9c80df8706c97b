"""The guards a policy requires, run over texts: one verdict each, whatever happens."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from monitors.guard import Guard, Scan
from monitors.spans import bounded
from schemas.registry import GuardRule, Policy
from schemas.verdicts import Action, Direction, Outcome, Span, Verdict

_STRONGEST_LAST = (Action.FLAG, Action.MASK, Action.WITHHOLD, Action.BLOCK)
_OUTCOMES = {action: Outcome(action.value) for action in Action}
_PASS = Outcome.PASS
_ACTIONS = {outcome: action for action, outcome in _OUTCOMES.items()}


@dataclass(frozen=True)
class _Duty:
    """One guard with what the policy makes of it."""

    guard: Guard
    action: Action
    threshold: float
    fail: str
    directions: tuple[Direction, ...]


class Scanner:
    """Run the guards that a policy requires; nothing they do is silent.

    A guard that raises on a batch is given its texts one by one; a text that makes it raise alone
    gets the verdict ``not_scanned``, with the error's class and whether the policy lets such a text
    pass (``open``) or stops it (``closed``).

    Args:
        guards: The guards there are.
        policy: Which of them are required, and what they may do.
        clock: Seconds from any start, to state latencies; without it they are 0.
        actions: Run only those guards whose action is among these.
    """

    def __init__(
        self,
        guards: Sequence[Guard],
        policy: Policy,
        clock: Callable[[], float] = lambda: 0.0,
        actions: Iterable[Action] = tuple(Action),
    ) -> None:
        self._guards, self._policy, self._clock = guards, policy, clock
        self._actions = frozenset(actions)
        required = [g for g in guards if policy.guards == "all" or g.name in policy.guards]
        duties = [_duty(guard, policy) for guard in required]
        self._duties = tuple(duty for duty in duties if duty.action in self._actions)

    def only(self, *actions: Action) -> Scanner:
        """Return the scanner of those guards whose action is among ``actions``.

        The worker masks answers while they are generated, ``only(Action.MASK)``; the gate runs the
        rest over whole answers, ``without(Action.MASK)``.
        """
        kept = self._actions.intersection(actions)
        return Scanner(self._guards, self._policy, self._clock, kept)

    def without(self, *actions: Action) -> Scanner:
        """Return the scanner of those guards whose action is none of ``actions``."""
        return self.only(*self._actions.difference(actions))

    def required(self, direction: Direction) -> tuple[str, ...]:
        """Return the names of the guards that must give a verdict on texts of ``direction``."""
        return tuple(duty.guard.name for duty in self._duties if direction in duty.directions)

    def scan(self, texts: Sequence[str], direction: Direction) -> list[tuple[Verdict, ...]]:
        """Return, for each text, one verdict per required guard, in the order of the guards."""
        duties = [duty for duty in self._duties if direction in duty.directions]
        columns = [self._verdicts(duty, texts) for duty in duties]
        return [tuple(column[index] for column in columns) for index in range(len(texts))]

    def _verdicts(self, duty: _Duty, texts: Sequence[str]) -> list[Verdict]:
        started = self._clock()
        try:
            scans = _scan(duty.guard, texts)
        except Exception as error:  # the runner: a guard's bug is a verdict, never a crash
            if len(texts) == 1:
                return [_not_scanned(duty, texts[0], error, self._clock() - started)]
            return [verdict for text in texts for verdict in self._verdicts(duty, [text])]
        elapsed_s = self._clock() - started
        # A batch's time is each text's in proportion to its length.
        per_char_s = elapsed_s / max(1, sum(len(text) + 1 for text in texts))
        return [
            _judged(duty, text, scan, per_char_s * (len(text) + 1))
            for text, scan in zip(texts, scans, strict=True)
        ]


def decision(verdicts: Sequence[Verdict]) -> Action | None:
    """Return the strongest action that ``verdicts`` ask for; None if the text may pass as it is.

    A text that could not be scanned, under a policy that fails closed, is to be blocked. An answer
    cannot be kept from the model any more: there, block and withhold are the same.
    """
    wanted = [
        action
        for verdict in verdicts
        if verdict.outcome is not _PASS and (action := _wanted(verdict)) is not None
    ]
    return max(wanted, key=_STRONGEST_LAST.index, default=None)


def _wanted(verdict: Verdict) -> Action | None:
    if verdict.outcome is Outcome.NOT_SCANNED:
        return Action.BLOCK if verdict.failed == "closed" else None
    return _ACTIONS.get(verdict.outcome)


def _duty(guard: Guard, policy: Policy) -> _Duty:
    rule = policy.rules.get(guard.name, GuardRule())
    return _Duty(
        guard=guard,
        action=rule.action if rule.action is not None else guard.action,
        threshold=rule.threshold if rule.threshold is not None else guard.threshold,
        fail=rule.fail if rule.fail is not None else policy.fail,
        directions=rule.directions if rule.directions is not None else guard.directions,
    )


def _scan(guard: Guard, texts: Sequence[str]) -> list[Scan]:
    scans = guard.scan(texts)
    if len(scans) != len(texts):
        raise ValueError(f"guard {guard.name!r} gave {len(scans)} scans for {len(texts)} texts")
    return scans


def _judged(duty: _Duty, text: str, scan: Scan, latency_s: float) -> Verdict:
    speaks = scan.score >= duty.threshold
    return Verdict(
        guard=duty.guard.name,
        guard_version=duty.guard.version,
        outcome=_OUTCOMES[duty.action] if speaks else _PASS,
        score=scan.score,
        threshold=duty.threshold,
        spans=_spoken_of(duty, text, scan) if speaks else (),
        scanned_chars=scan.scanned_chars,
        total_chars=len(text),
        latency_ms=max(0.0, latency_s * 1000),
    )


def _spoken_of(duty: _Duty, text: str, scan: Scan) -> tuple[Span, ...]:
    label = duty.guard.name.upper()
    spans = bounded(scan.spans, label)
    if duty.action is Action.MASK and not spans and text:
        # What cannot be placed cannot be left standing: the whole text is masked.
        return (Span(start=0, end=len(text), label=label),)
    return spans


def _not_scanned(duty: _Duty, text: str, error: Exception, latency_s: float) -> Verdict:
    return Verdict(
        guard=duty.guard.name,
        guard_version=duty.guard.version,
        outcome=Outcome.NOT_SCANNED,
        score=0.0,
        threshold=duty.threshold,
        scanned_chars=0,
        total_chars=len(text),
        latency_ms=max(0.0, latency_s * 1000),
        reason=type(error).__name__,
        failed="closed" if duty.fail == "closed" else "open",
    )
