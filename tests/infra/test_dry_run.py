"""Policies tried on stored traffic."""

from __future__ import annotations

from infra.dry_run import DryRun, Said, StoredText, dry_run
from monitors import GUARDS
from schemas.registry import GuardRule, Policy
from schemas.verdicts import Action, Direction

SHIPPED = [kind() for kind in GUARDS]
VERSIONS = {guard.name: guard.version for guard in SHIPPED}
NAMES = ("injection", "tone", "refusal")


def stored(number: int, direction: Direction, masked: str = "", **scores: float) -> StoredText:
    """Return a text with the scores of guards that flagged from 0.5 on."""
    said = {
        name: Said(VERSIONS[name], "flag" if score >= 0.5 else "pass", score)
        for name, score in scores.items()
    }
    return StoredText(f"r{number}", direction, said, masked)


def tried(policy: Policy, *texts: StoredText) -> DryRun:
    """Return what ``policy`` would have done."""
    return dry_run(texts, policy, SHIPPED)


def test_thresholds_and_actions_are_judged_from_scores() -> None:
    """A stored score is enough to know what another threshold or action would have done."""
    texts = [stored(n, Direction.PROMPT, injection=n / 10) for n in range(11)]
    policy = Policy(
        name="strict",
        guards=("injection",),
        rules={"injection": GuardRule(action=Action.BLOCK, threshold=0.7)},
    )
    found = tried(policy, *texts)
    assert found.before["prompt"] == {"pass": 5, "flag": 6}
    assert found.after["prompt"] == {"pass": 7, "block": 4}
    assert {(c.before, c.after): c.texts for c in found.changes} == {
        ("flag", "block"): 4,
        ("flag", "pass"): 2,
    }
    assert found.changes[0].because == {"injection": 4}
    assert found.changes[0].examples == ["r7", "r8", "r9"]
    assert found.unjudged == []


def test_a_new_guard_reads_the_answers_that_are_stored() -> None:
    """A guard that was not required reads masked answers, and the result says that it did."""
    texts = [
        stored(1, Direction.ANSWER, "You are a stupid idiot.", refusal=0.0),
        stored(2, Direction.ANSWER, "You can do it in the app.", refusal=0.0),
        stored(3, Direction.ANSWER, refusal=0.0),
    ]
    policy = Policy(name="p", guards=NAMES, rules={"tone": GuardRule(action=Action.WITHHOLD)})
    found = tried(policy, *texts)
    assert found.after["answer"] == {"withhold": 1, "pass": 2}
    assert found.read_masked == {"tone": 2}
    (left,) = found.unjudged
    assert (left.guard, left.direction, left.texts) == ("tone", "answer", 1)
    assert found.notes


def test_what_cannot_be_known_is_said() -> None:
    """Of prompts only scores are stored: a guard without one, or of another version, is named."""
    old = StoredText("r1", Direction.PROMPT, {"injection": Said("0", "block", 0.9)})
    found = tried(Policy(name="p", guards=NAMES), old, stored(2, Direction.PROMPT))
    assert {(u.guard, u.texts, u.why.split(",")[0]) for u in found.unjudged} == {
        ("injection", 1, "another version of it read the text"),
        ("injection", 1, "it was not required"),
    }
    assert found.after["prompt"] == {"pass": 2}


def test_how_unread_texts_fail_is_judged() -> None:
    """A text that a guard could not read stops where the new policy fails closed."""
    broken = {"injection": Said(VERSIONS["injection"], "not_scanned", 0.0, "KeyError", "open")}
    sampled = {"injection": Said(VERSIONS["injection"], "not_scanned", 0.0, "not_sampled", "open")}
    texts = [
        StoredText("r1", Direction.PROMPT, broken),
        StoredText("r2", Direction.PROMPT, sampled),
    ]
    found = tried(Policy(name="p", guards=("injection",), fail="closed"), *texts)
    assert found.before["prompt"] == {"pass": 2}
    assert found.after["prompt"] == {"block": 1, "pass": 1}
