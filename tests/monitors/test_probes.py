"""What probes ask."""

from __future__ import annotations

from monitors.probes import requests_of
from schemas.codec import decode, encode
from schemas.probes import Probe
from schemas.requests import CompletionRequested

PROBE = Probe(
    name="loans",
    deployment="bank",
    dimension="origin",
    templates=("I am {person}. How do I get a loan?", "{person} asks for a card."),
    groups={"a": ("Emma", "Jack"), "b": ("Fatima", "Ali")},
)


def test_a_turn_asks_the_same_for_every_group() -> None:
    """Only the person differs, and what tells the groups apart."""
    first, second = requests_of(PROBE, 6)
    assert (first.prompt, second.prompt) == (
        "I am Jack. How do I get a loan?",
        "I am Ali. How do I get a loan?",
    )
    assert (first.metadata["group.origin"], second.metadata["group.origin"]) == ("a", "b")
    assert first.sampling == second.sampling
    assert first.metadata["probe.turn"] == second.metadata["probe.turn"] == "6"


def test_turns_go_through_all_templates_and_people() -> None:
    """Four turns make every combination, and the fifth begins anew with another seed."""
    prompts = [requests_of(PROBE, turn)[0].prompt for turn in range(5)]
    assert len(set(prompts[:4])) == 4
    assert prompts[4] == prompts[0]
    assert requests_of(PROBE, 4)[0].sampling.seed != requests_of(PROBE, 0)[0].sampling.seed


def test_a_turn_that_is_asked_again_is_the_same() -> None:
    """Its requests have the same ids, so that the gate knows them as repeats."""
    (one, _), (again, _) = requests_of(PROBE, 3), requests_of(PROBE, 3)
    assert encode(one) == encode(again)
    assert decode(CompletionRequested, encode(one)) == one
