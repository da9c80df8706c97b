"""The property that no input may break: every guard reads it and gives a verdict that fits."""

from __future__ import annotations

from functools import cache

from monitors import GUARDS
from monitors.guard import Cost, Guard, cost_of
from monitors.scanning import Scanner
from schemas.registry import GuardRule, Policy
from schemas.verdicts import Direction, Outcome
from tests.monitors.test_guard_laws import OPTIONS

LEARNED_MAX_CHARS = 10_000
"""What a model reads of a text: it takes microseconds a character, and a megabyte seconds."""


@cache
def scanner() -> Scanner:
    """Return all guards that ``all`` means in a policy, each with something to look for."""
    guards: list[Guard] = [kind() for kind in GUARDS]
    return Scanner(guards, Policy(name="fuzz", rules={g.name: _rule(g) for g in guards}))


def _rule(guard: Guard) -> GuardRule:
    learned = cost_of(guard) is Cost.LEARNED
    options = OPTIONS.get(guard.name, {})
    return GuardRule(options=options, max_chars=LEARNED_MAX_CHARS if learned else None)


def read(data: bytes) -> None:
    """Read ``data`` as a text on every side of the model.

    Raises:
        AssertionError: If a guard raised, or its verdict does not fit the text.
    """
    text = data.decode("utf-8", "surrogateescape")  # a byte that is none becomes half a pair
    for direction in Direction:
        (verdicts,) = scanner().scan([text], direction)
        for verdict in verdicts:
            assert verdict.outcome is not Outcome.NOT_SCANNED, (verdict.guard, verdict.reason)
            assert 0 <= verdict.score <= 1
            assert verdict.scanned_chars <= verdict.total_chars == len(text)
            ends = [0]
            for span in verdict.spans:
                assert ends[-1] <= span.start < span.end <= len(text)
                ends.append(span.end)
