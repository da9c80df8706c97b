"""The simulated days say what a budget spares and what it costs."""

from __future__ import annotations

from infra.eval.falsealarms import evaluate


def test_a_budget_spares_false_alarms_and_finds_most_of_what_is_found_without() -> None:
    """Monitors that are sharp cry wolf without it; with it hardly ever."""
    sharp = evaluate(segments=100, days=2, seed=9)["sharp"]
    without, budgeted = sharp["without_budget"], sharp["with_budget"]
    false = [sum(one["false_alarms_per_calm_day"]) for one in (without, budgeted)]
    assert false[0] > false[1]
    found = [one["found"]["rate"] for one in (without, budgeted)]
    assert 0.3 * found[0] <= found[1] <= found[0]
