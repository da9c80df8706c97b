"""The budget of false alarms: what it lets through, and that little of it is false."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np

from alerts.budget import PERIOD, Budget

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


def test_each_that_passes_makes_the_next_cheaper_for_a_day() -> None:
    """After a day it counts no more."""
    budget = Budget(streams=100, share=0.1)
    assert budget.needed("a", NOON) == 1000
    assert budget.lets("a", 1000, NOON)
    assert budget.needed("b", NOON) == 500
    assert budget.needed("a", NOON) == 1000
    assert budget.needed("b", NOON + PERIOD) == 1000


def test_what_is_held_back_costs_nothing_and_may_ask_again() -> None:
    """Weak evidence changes nothing for others."""
    budget = Budget(streams=100, share=0.1)
    assert not budget.lets("a", 999, NOON)
    assert budget.needed("b", NOON) == 1000
    assert budget.lets("a", 1001, NOON)


def test_a_restart_changes_nothing() -> None:
    """The budget is restored from its snapshot."""
    budget, again = Budget(10, 0.5), Budget(10, 0.5)
    budget.lets("a", 50, NOON)
    again.restore(budget.snapshot())
    assert again == budget


def test_of_what_passes_at_most_the_stated_share_is_false() -> None:
    """Over many days on which nine tenths of the streams have nothing to tell."""
    rng = np.random.default_rng(3)
    shares = []
    for number in range(400):
        budget, at = Budget(streams=100, share=0.2), NOON + timedelta(days=number)
        chance = 1 / rng.random(100)  # the heaviest tail that e-values can have, times two
        values = np.where(np.arange(100) < 10, 5_000.0, chance / 2)
        passed = [n for n in rng.permutation(100) if budget.lets(str(n), float(values[n]), at)]
        shares.append(sum(n >= 10 for n in passed) / max(1, len(passed)))
    assert np.mean(shares) <= 0.2
