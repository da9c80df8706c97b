"""What a policy makes of its guards: which are required, on what, and what each may do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from monitors.guard import Cost, Guard, cost_of, options_of
from monitors.patterns import PatternGuard
from schemas.registry import GuardRule, Policy
from schemas.verdicts import Action, Direction, Outcome


@dataclass(frozen=True)
class Duty:
    """One required guard with what the policy makes of it.

    Args:
        guard: The guard, with the options that the policy gives it.
        action: What is done when it speaks.
        threshold: The score from which it speaks.
        fail: Whether a text that it could not read passes, ``open``, or not, ``closed``.
        directions: The sides of the model on which it is required.
        cost: What reading a text takes it.
        rule: What the policy says of it besides.
        budget_s: Seconds it may take for one batch of texts.
    """

    guard: Guard
    action: Action
    threshold: float
    fail: str
    directions: tuple[Direction, ...]
    cost: Cost
    rule: GuardRule
    budget_s: float

    @property
    def runs_in_worker(self) -> bool:
        """Whether the guard reads answers where they are generated: to mask, or to stop them.

        A model that weighs words by what follows them reads no answer before it is whole. A
        language model reads none there: it would hold up all answers that are being written.
        """
        at_sight = self.shares_the_pass and self.cost is Cost.PATTERN
        at_sight = at_sight and not getattr(self.guard, "judges_whole", False)
        stops = self.action in (Action.WITHHOLD, Action.BLOCK) and at_sight
        return stops or (self.action is Action.MASK and self.cost is not Cost.EMBEDDING)

    @property
    def shares_the_pass(self) -> bool:
        """Whether the guard reads every text whole and for its expressions."""
        rule = self.rule
        whole = rule.max_chars is None and rule.sample == 1 and rule.on_doubt_of is None
        return whole and isinstance(self.guard, PatternGuard)

    @cached_property
    def silence(self) -> dict[str, Any]:
        """The fields of the verdict on an empty text in which nothing was found."""
        return {
            "guard": self.guard.name,
            "guard_version": self.guard.version,
            "outcome": Outcome.PASS,
            "score": 0.0,
            "threshold": self.threshold,
            "spans": (),
            "scanned_chars": 0,
            "total_chars": 0,
            "latency_ms": 0.0,
            "reason": "",
            "failed": "",
        }


def duties(guards: Sequence[Guard], policy: Policy) -> tuple[Duty, ...]:
    """Return what ``policy`` makes of those among ``guards`` that it requires, in their order.

    ``all`` are those that are not optional; an optional one is required by being listed, or by
    having a rule.
    """
    return tuple(_duty(guard, policy) for guard in guards if _is_required(guard, policy))


def _is_required(guard: Guard, policy: Policy) -> bool:
    if policy.guards == "all":
        return not getattr(guard, "optional", False) or guard.name in policy.rules
    return guard.name in policy.guards


def _duty(guard: Guard, policy: Policy) -> Duty:
    rule = policy.rules.get(guard.name, GuardRule())
    budget_ms = rule.budget_ms if rule.budget_ms is not None else policy.budget_ms
    return Duty(
        guard=_with_options(guard, rule),
        action=rule.action if rule.action is not None else guard.action,
        threshold=rule.threshold if rule.threshold is not None else guard.threshold,
        fail=rule.fail if rule.fail is not None else policy.fail,
        directions=rule.directions if rule.directions is not None else guard.directions,
        cost=cost_of(guard),
        rule=rule,
        budget_s=budget_ms / 1000,
    )


def _with_options(guard: Guard, rule: GuardRule) -> Guard:
    """Return ``guard`` itself, or one of its kind with the options of ``rule``."""
    if not rule.options:
        return guard
    options = options_of(guard)
    if options is None:
        raise ValueError(f"guard {guard.name!r} takes no options")
    make: Any = getattr(guard, "with_options", type(guard))
    made: Guard = make(options.model_validate(rule.options))
    return made
