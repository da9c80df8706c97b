"""Bursts of what guards find, and guards that fail."""

from __future__ import annotations

import pytest

from monitors.guard_rates import GuardRates
from schemas.verdicts import Direction, Outcome
from schemas.watching import Observation
from tests.monitors.observations import Stream, verdict
from tests.monitors.traffic import Episode
from tests.monitors.watching import steady, told, told_on


@pytest.mark.parametrize("seed", range(3))
def test_steady_traffic_says_nothing(seed: int) -> None:
    """A guard that speaks now and then is no news."""
    assert told(GuardRates(), steady(seed)) == []


@pytest.mark.parametrize("seed", range(3))
def test_a_burst_of_attacks_is_told_while_it_lasts(seed: int) -> None:
    """Forty per cent attacks in sixty requests: one finding, and one when it is over."""
    shift, back = told_on(GuardRates, Episode(400, 60, injections=0.4), seed)
    assert (shift.kind, back.kind) == ("detection", "recovery")
    assert shift.segment == back.segment == {"guard": "injection", "direction": "prompt"}
    assert shift.baseline is not None
    assert shift.value > 0.2 > shift.baseline
    assert all(400 <= int(name.removeprefix("r")) < 460 for name in shift.exemplars[:3])


def test_the_cause_is_a_sentence_for_an_operator() -> None:
    """It names the guard, the side, the rate now and at first, since when, and requests."""
    stream = Stream("bank")
    attack = [verdict("injection", Outcome.BLOCK)]
    calm = [stream.after(1).scanned(f"r{n}", [verdict("injection")]) for n in range(200)]
    burst = [stream.after(1).scanned(f"a{n}", attack) for n in range(20)]
    (shift,) = told(GuardRates(), calm + burst)
    assert shift.cause == (
        "injection flagged 100 % of prompts over the last 7 (0 % in the first 200), "
        "since 12:03:21; deployment bank; e.g. a6, a5, a4"
    )


def test_cards_and_ibans_are_one_finding_that_names_both() -> None:
    """The whole rate speaks for its kinds, and says which they are."""
    shift, back = told_on(GuardRates, Episode(400, 60, pii=0.5))
    assert shift.segment == {"guard": "pii", "direction": "prompt"}
    assert "CARD" in shift.cause
    assert "IBAN" in shift.cause
    assert back.kind == "recovery"


def test_a_change_of_kind_alone_is_told() -> None:
    """As many finds as before, but cards instead of e-mail addresses."""
    stream = Stream()

    def find(number: int, label: str) -> Observation:
        finds = verdict("pii", Outcome.MASK, [label])
        said = finds if number % 5 == 0 else verdict("pii")
        return stream.after(1).scanned(f"r{number}", [said])

    calm = [find(number, "EMAIL") for number in range(200)]
    (shift,) = told(GuardRates(), calm + [find(number, "CARD") for number in range(200, 400)])
    assert shift.segment == {"guard": "pii", "direction": "prompt", "label": "CARD"}
    assert "pii flagged" in shift.cause
    assert "for CARD" in shift.cause


def test_a_guard_that_fails_is_told_as_such() -> None:
    """Texts that could not be scanned are neither passes nor finds."""
    shift, back = told_on(GuardRates, Episode(400, 60, broken_guard=True))
    assert (shift.metric, back.metric) == ("not_scanned_rate", "not_scanned_rate")
    assert shift.segment == {"guard": "secrets", "direction": "prompt"}
    assert shift.cause.startswith("secrets could not scan 100 % of prompts")


def test_one_request_with_many_texts_is_one_piece_of_evidence() -> None:
    """A long conversation that repeats an attack in every turn is not a burst."""
    stream = Stream()
    attack = [verdict("injection", Outcome.BLOCK)]
    calm = [stream.after(1).scanned(f"r{n}", [verdict("injection")]) for n in range(200)]
    turns = [stream.scanned("one", attack) for _ in range(100)]
    assert told(GuardRates(), calm + turns) == []


def test_sides_of_the_model_are_told_apart() -> None:
    """Finds in answers say nothing about prompts."""
    stream = Stream()
    clean, find = [verdict("pii")], [verdict("pii", Outcome.MASK, ["CARD"])]
    calm = [
        stream.after(1).scanned(f"r{n}", clean, side)
        for n in range(200)
        for side in (Direction.PROMPT, Direction.ANSWER)
    ]
    burst = [stream.after(1).scanned(f"a{n}", find, Direction.ANSWER) for n in range(20)]
    (shift,) = told(GuardRates(), calm + burst)
    assert shift.segment["direction"] == "answer"
