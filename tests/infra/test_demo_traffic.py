"""The demo's traffic: the same for the same seed, its phases in order, its mishaps real ones."""

from __future__ import annotations

import re

import pytest

from infra.demo.traffic import PHASES, SLOW_S, WARMUP, Ask, Pace, counts, paced, plan, warmup
from monitors.checksums import is_card, is_iban
from monitors.injection import Injection

PACE = Pace(requests=1000, per_s=5.0)
_NUMBERS = re.compile(r"\b(?:[A-Z]{2}\d\d[\d ]{8,}\d|\d(?:[ -]?\d){15})\b")


def numbers_in(ask: Ask) -> list[str]:
    """Return the long numbers that a message holds, without spaces and dashes."""
    return [re.sub("[ -]", "", found) for found in _NUMBERS.findall(ask.text)]


def test_the_same_seed_gives_the_same_traffic() -> None:
    """Texts, kinds and times follow from seed and pace alone, and differ between seeds."""
    assert plan(PACE, seed=7) == plan(PACE, seed=7)
    assert plan(PACE, seed=7) != plan(PACE, seed=8)


def test_the_phases_come_in_order_and_make_the_whole() -> None:
    """Ordinary traffic stands before and between the episodes; no request is lost in rounding."""
    asks = plan(PACE, seed=0)
    assert list(asks) == [phase.name for phase in PHASES]
    assert sum(len(messages) for messages in asks.values()) == PACE.requests
    names = list(asks)
    assert names[0] == "normal"
    assert all(name.startswith("quiet") for name in names[2::2])


@pytest.mark.parametrize("requests", [400, 520, 1000, 3000])
def test_the_monitors_have_learned_before_the_first_episode(requests: int) -> None:
    """However small the demo, its first 220 requests are ordinary, and every episode is there."""
    found = counts(paced(requests, capacity_per_s=50.0))
    assert found["normal"] >= 220
    assert all(number > 0 for number in found.values())
    assert sum(found.values()) == requests


def test_the_warm_up_is_the_beginning_of_the_ordinary_traffic() -> None:
    """What measures the system is not sent again."""
    first = plan(PACE, seed=3)["normal"][:WARMUP]
    assert warmup(seed=3) == tuple(ask.text for ask in first)


def test_slow_answers_last_long_enough_to_be_noticed() -> None:
    """The slow phase is made of so many requests as come in its time."""
    for pace in (PACE, Pace(400, 0.8), Pace(1000, 20.0)):
        asks = plan(pace, seed=0)["slow"]
        assert 0.6 * SLOW_S < sum(ask.after_s for ask in asks) < 1.6 * SLOW_S


def test_pasted_numbers_prove_themselves() -> None:
    """Every pasted card passes Luhn and every IBAN its check digits, and the episode has both."""
    pasted = [ask for ask in plan(PACE, seed=0)["pasting"] if ask.kind == "pasted"]
    kinds = set()
    for ask in pasted:
        (number,) = numbers_in(ask)
        assert is_iban(number) if number[0].isalpha() else is_card(number)
        kinds.add(number[0].isalpha())
    assert kinds == {True, False}


def test_attempts_are_what_the_guard_looks_for() -> None:
    """The shipped guard flags most of the injection burst, and nothing that is not part of it."""
    guard = Injection()
    asks = [ask for messages in plan(PACE, seed=0).values() for ask in messages]
    scans = guard.scan([ask.text for ask in asks])
    flagged = [a.kind for a, scan in zip(asks, scans, strict=True) if scan.score >= guard.threshold]
    assert set(flagged) == {"injection"}
    assert len(flagged) > 0.8 * sum(ask.kind == "injection" for ask in asks)


def test_mishaps_are_rare_on_ordinary_days_and_common_in_their_episode() -> None:
    """An episode is mostly what it is called; before it there is little of that."""
    asks = plan(PACE, seed=0)

    def share(phase: str, kind: str) -> float:
        return sum(ask.kind == kind for ask in asks[phase]) / len(asks[phase])

    for phase, kind in (("injection", "injection"), ("topics", "elsewhere"), ("pasting", "pasted")):
        assert share(phase, kind) > 0.6
        assert share("normal", kind) < 0.04


def test_a_slow_system_gets_fewer_requests_but_enough() -> None:
    """The pace follows what the warm-up measured, within what the monitors need."""
    fast, slow, slowest = (paced(1000, capacity_per_s=c) for c in (40.0, 5.0, 0.5))
    assert fast == Pace(1000, 5.0)
    assert 400 < slow.requests < 1000
    assert slowest.requests == 400
    assert all(pace.per_s <= 0.85 * c for pace, c in ((slow, 5.0), (slowest, 0.5)))
