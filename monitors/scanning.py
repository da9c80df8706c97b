"""The guards a policy requires, run over texts: one verdict each, whatever happens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zlib import crc32

from monitors.duties import Duty, duties
from monitors.guard import Context, Cost, Guard, reads_context
from monitors.patterns import Pack, PatternGuard
from monitors.reading import Clock, Shared, read_apart, read_together
from monitors.stopping import Stopping
from monitors.text import Text
from monitors.verdicts import Roll, Verdicts
from schemas.registry import Policy
from schemas.verdicts import Action, Direction, Outcome, Verdict

STRONGEST_LAST = (Action.FLAG, Action.ESCALATE, Action.MASK, Action.WITHHOLD, Action.BLOCK)
_CHEAPEST_FIRST = tuple(Cost)
_PASS = Outcome.PASS
_ACTIONS = {Outcome(action.value): action for action in Action}


@dataclass(frozen=True)
class _Plan:
    """Who reads the texts of one direction.

    Args:
        roll: Everyone, in the order of the verdicts.
        places: Where in that order each guard is, by name.
        shared: Those who share one pass.
        apart: The others, in the order in which they read.
    """

    roll: Roll
    places: dict[str, int]
    shared: tuple[Shared, ...]
    apart: tuple[Duty, ...]


class Scanner:
    """Run the guards that a policy requires; nothing they do is silent.

    Guards that look for expressions share one pass over each text, in a database of those that its
    direction requires; then the others read batches, the cheapest first. A guard that raises on a
    batch is given its texts one by one; a text that makes it raise alone gets the verdict
    ``not_scanned``, with the error's class and whether the policy lets such a text pass (``open``)
    or stops it (``closed``). So does, with the reason
    ``time_budget``, a text whose turn comes when the guard has used up its time for the batch.
    Where the policy has a guard read a sample only, or only what another one is in doubt of, all
    other texts get ``not_scanned`` with the reason ``not_sampled``, which stops nothing.

    Args:
        guards: The guards there are.
        policy: Which of them are required, and what they may do.
        clock: Seconds from any start, to state latencies and to keep time budgets; without it,
            latencies are 0 and time does not run out.
    """

    def __init__(self, guards: Sequence[Guard], policy: Policy, clock: Clock = lambda: 0.0) -> None:
        self._clock = clock
        required = duties(guards, policy)
        self._packs: dict[Direction, Pack] = {}
        self._shared: dict[Direction, dict[str, Shared]] = {}
        for direction in Direction:
            sharing = [
                (duty, duty.guard)
                for duty in required
                if direction in duty.directions
                and duty.shares_the_pass
                and isinstance(duty.guard, PatternGuard)
            ]
            self._packs[direction] = Pack([guard for _, guard in sharing])
            self._shared[direction] = {
                duty.guard.name: Shared(duty, guard, place)
                for place, (duty, guard) in enumerate(sharing)
            }
        self._require(required)

    def _require(self, required: Sequence[Duty]) -> None:
        self._duties = tuple(required)
        self._parts: dict[str, Scanner] = {}
        self._plans = {direction: self._plan(direction) for direction in Direction}

    def _plan(self, direction: Direction) -> _Plan:
        required = tuple(duty for duty in self._duties if direction in duty.directions)
        sharing = self._shared[direction]
        apart = [duty for duty in required if duty.guard.name not in sharing]
        apart.sort(key=lambda d: (d.rule.on_doubt_of is not None, _CHEAPEST_FIRST.index(d.cost)))
        shared = [sharing[duty.guard.name] for duty in required if duty.guard.name in sharing]
        places = {duty.guard.name: place for place, duty in enumerate(required)}
        return _Plan(Roll(required), places, tuple(shared), tuple(apart))

    def in_worker(self) -> Scanner:
        """Return the scanner of those guards that read answers where they are generated.

        They mask, or stop the answer; the rest read it whole in the gate, :meth:`in_gate`, and with
        them those that need a language model.
        """
        return self._part("worker", [duty for duty in self._duties if duty.runs_in_worker])

    def in_gate(self) -> Scanner:
        """Return the scanner of those guards that :meth:`in_worker` leaves out."""
        return self._part("gate", [duty for duty in self._duties if not duty.runs_in_worker])

    def stopping(self) -> Stopping | None:
        """Return what may stop an answer under way; None if no guard may."""
        duties = [
            duty
            for duty in self._plans[Direction.ANSWER].roll.duties
            if duty.runs_in_worker and duty.action is not Action.MASK
        ]
        return Stopping(duties) if duties else None

    def _part(self, name: str, kept: Sequence[Duty]) -> Scanner:
        if name not in self._parts:
            part = object.__new__(Scanner)
            vars(part).update(vars(self))
            part._require(kept)
            self._parts[name] = part
        return self._parts[name]

    @property
    def needs_embeddings(self) -> bool:
        """Whether a language model must be loaded before texts are read."""
        return any(duty.cost is Cost.EMBEDDING for duty in self._duties)

    @property
    def judges_in_context(self) -> bool:
        """Whether a guard of answers reads beside them what they were given to."""
        return any(reads_context(d.guard) for d in self._plans[Direction.ANSWER].roll.duties)

    def required(self, direction: Direction) -> tuple[str, ...]:
        """Return the names of the guards that must give a verdict on texts of ``direction``."""
        return tuple(duty.guard.name for duty in self._plans[direction].roll.duties)

    def scan(
        self,
        texts: Sequence[str],
        direction: Direction,
        keys: Sequence[str] = (),
        contexts: Sequence[Context | None] = (),
    ) -> list[Verdicts]:
        """Return, for each text, one verdict per required guard, in the order of the guards.

        Args:
            texts: What there is to read.
            direction: The side of the model it stands on.
            keys: What decides whether a text is in a sample, one per text, the conversation's id
                as a rule; the texts themselves if not given.
            contexts: What each answer was given to, where that is known.
        """
        plan = self._plans[direction]
        latencies_ms = [0.0] * len(texts)
        told: list[dict[str, Verdict]] = [{} for _ in texts]
        if plan.shared and texts:
            read = [Text(text) for text in texts]
            latencies_ms, told = read_together(
                plan.shared, self._packs[direction], read, self._clock
            )
        for duty in plan.apart:
            wanted = _wanted(duty, keys or texts, told)
            beside = contexts or [None] * len(texts)
            verdicts = read_apart(duty, texts, wanted, beside, self._clock)
            for of_text, verdict in zip(told, verdicts, strict=True):
                of_text[duty.guard.name] = verdict
        places = plan.places
        return [
            Verdicts(plan.roll, len(text), ms, {places[name]: v for name, v in of_text.items()})
            for text, ms, of_text in zip(texts, latencies_ms, told, strict=True)
        ]


def _wanted(duty: Duty, keys: Sequence[str], told: Sequence[Mapping[str, Verdict]]) -> list[bool]:
    """Return for each text whether ``duty`` is to read it: its sample, and what is in doubt."""
    rule = duty.rule
    if rule.on_doubt_of is None:
        return [_is_sampled(key, rule.sample) for key in keys]
    share = rule.sample if rule.sample < 1 else 0.0
    return [
        _is_doubtful(of_text.get(rule.on_doubt_of), rule.doubt) or _is_sampled(key, share)
        for key, of_text in zip(keys, told, strict=True)
    ]


def _is_sampled(key: str, share: float) -> bool:
    """Return whether ``key`` is in a sample; a larger sample holds the smaller one."""
    return share == 1 or crc32(key.encode("utf-8", "replace")) < share * 2**32


def _is_doubtful(verdict: Verdict | None, doubt: tuple[float, float]) -> bool:
    score = verdict.score if verdict is not None else 0.0
    unread = verdict is not None and verdict.outcome is Outcome.NOT_SCANNED
    return unread or doubt[0] <= score <= doubt[1]


def decision(verdicts: Sequence[Verdict]) -> Action | None:
    """Return the strongest action that ``verdicts`` ask for; None if the text may pass as it is.

    A text that could not be scanned, under a policy that fails closed, is to be blocked. An answer
    cannot be kept from the model any more: there, block and withhold are the same.
    """
    wanted = [action for v in verdicts if (action := _asked(v)) is not None]
    return max(wanted, key=STRONGEST_LAST.index, default=None)


def _asked(verdict: Verdict) -> Action | None:
    if verdict.outcome is _PASS:
        return None
    if verdict.outcome is Outcome.NOT_SCANNED:
        return Action.BLOCK if verdict.failed == "closed" else None
    return _ACTIONS.get(verdict.outcome)
