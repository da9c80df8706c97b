"""The runner of guards: one verdict each, whatever the guards do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count

import pytest

from monitors import GUARDS
from monitors.guard import Scan
from monitors.scanning import Scanner, decision
from schemas.registry import GuardRule, Policy
from schemas.verdicts import Action, Direction, Outcome, Span, Verdict
from tests.monitors.observations import verdict

ALL = Policy(name="default")


class Fake:
    """A guard that finds the letter x, and raises on a text with ``boom``."""

    version = "7"

    def __init__(
        self,
        name: str = "fake",
        action: Action = Action.FLAG,
        directions: tuple[Direction, ...] = tuple(Direction),
    ) -> None:
        self.name, self.action, self.directions = name, action, directions
        self.threshold = 0.5
        self.batches: list[int] = []

    def scan(self, texts: Sequence[str]) -> list[Scan]:
        """Return a score of 0.6 for texts with an x, without a span."""
        self.batches.append(len(texts))
        if any("boom" in text for text in texts):
            raise KeyError("the text must not be quoted here")
        return [Scan(0.6 if "x" in text else 0.0, len(text)) for text in texts]


class Short(Fake):
    """A guard that forgets a text."""

    def scan(self, texts: Sequence[str]) -> list[Scan]:
        """Return one scan too few."""
        return super().scan(texts)[1:]


def one(scanner: Scanner, text: str, direction: Direction = Direction.PROMPT) -> Verdict:
    """Return the only verdict on the only text."""
    ((found,),) = scanner.scan([text], direction)
    return found


def test_every_required_guard_gives_a_verdict_on_every_text() -> None:
    """No text and no guard is left out, in the order of the guards."""
    scanner = Scanner([Fake("a"), Fake("b")], ALL)
    verdicts = scanner.scan(["x", "", "y"], Direction.PROMPT)
    assert [[v.guard for v in row] for row in verdicts] == [["a", "b"]] * 3
    assert [row[0].outcome for row in verdicts] == [Outcome.FLAG, Outcome.PASS, Outcome.PASS]
    assert [row[0].total_chars for row in verdicts] == [1, 0, 1]
    assert scanner.scan([], Direction.PROMPT) == []


def test_a_policy_may_require_only_some() -> None:
    """Guards that are not listed do not run."""
    guards = [Fake("a"), Fake("b")]
    scanner = Scanner(guards, Policy(name="p", guards=("b",)))
    assert scanner.required(Direction.PROMPT) == ("b",)
    scanner.scan(["x"], Direction.PROMPT)
    assert (guards[0].batches, guards[1].batches) == ([], [1])


def test_guards_read_their_own_side() -> None:
    """A guard reads the directions it declares, or those that the policy gives it."""
    guards = [Fake("a", directions=(Direction.ANSWER,))]
    assert Scanner(guards, ALL).required(Direction.PROMPT) == ()
    moved = Policy(name="p", rules={"a": GuardRule(directions=(Direction.PROMPT,))})
    assert Scanner(guards, moved).required(Direction.PROMPT) == ("a",)
    assert Scanner(guards, moved).required(Direction.ANSWER) == ()


@pytest.mark.parametrize(
    ("rule", "outcome"),
    [
        (GuardRule(), Outcome.FLAG),
        (GuardRule(action=Action.BLOCK), Outcome.BLOCK),
        (GuardRule(threshold=0.6), Outcome.FLAG),
        (GuardRule(threshold=0.61), Outcome.PASS),
    ],
)
def test_the_policy_decides_what_a_score_means(rule: GuardRule, outcome: Outcome) -> None:
    """Action and threshold are the policy's where it says so, the guard's otherwise."""
    scanner = Scanner([Fake()], Policy(name="p", rules={"fake": rule}))
    assert one(scanner, "x").outcome is outcome


@pytest.mark.parametrize("fail", ["open", "closed"])
def test_a_raising_guard_spoils_only_its_own_text(fail: str) -> None:
    """The batch is read text by text; the one that fails alone says so and how the policy fails."""
    policy = Policy.model_validate({"name": "p", "fail": fail})
    verdicts = Scanner([Fake()], policy).scan(["x", "boom", "y"], Direction.PROMPT)
    assert [row[0].outcome for row in verdicts] == [
        Outcome.FLAG,
        Outcome.NOT_SCANNED,
        Outcome.PASS,
    ]
    broken = verdicts[1][0]
    assert (broken.reason, broken.failed, broken.scanned_chars) == ("KeyError", fail, 0)
    assert "quoted" not in broken.model_dump_json()


def test_a_rule_may_fail_otherwise_than_the_policy() -> None:
    """How one guard fails is said beside its other rules."""
    policy = Policy(name="p", fail="open", rules={"fake": GuardRule(fail="closed")})
    assert one(Scanner([Fake()], policy), "boom").failed == "closed"


def test_a_guard_that_forgets_a_text_has_scanned_none() -> None:
    """A scan too few is an error, never a pass."""
    found = one(Scanner([Short()], ALL), "x")
    assert (found.outcome, found.reason) == (Outcome.NOT_SCANNED, "ValueError")


def test_the_two_passes_share_the_guards_out() -> None:
    """The worker's masking guards and the gate's other ones are all guards, each once."""
    scanner = Scanner([kind() for kind in GUARDS], ALL)
    worker, gate = scanner.only(Action.MASK), scanner.without(Action.MASK)
    assert worker.required(Direction.ANSWER) == ("pii", "secrets")
    assert gate.required(Direction.ANSWER) == ("tone", "refusal")
    both = (*worker.required(Direction.ANSWER), *gate.required(Direction.ANSWER))
    assert sorted(both) == sorted(scanner.required(Direction.ANSWER))


def test_passes_follow_the_policys_action() -> None:
    """A guard that the policy lets mask runs where masking guards run."""
    policy = Policy(name="p", rules={"fake": GuardRule(action=Action.MASK)})
    scanner = Scanner([Fake()], policy)
    assert scanner.only(Action.MASK).required(Direction.ANSWER) == ("fake",)
    assert scanner.without(Action.MASK).required(Direction.ANSWER) == ()
    assert scanner.only(Action.MASK).without(Action.MASK).required(Direction.ANSWER) == ()


def test_a_find_without_a_place_masks_the_whole_text() -> None:
    """What is to be masked and cannot be placed is not left standing."""
    policy = Policy(name="p", rules={"fake": GuardRule(action=Action.MASK)})
    assert one(Scanner([Fake()], policy), "xyz").spans == (Span(start=0, end=3, label="FAKE"),)


def test_latency_is_shared_by_length() -> None:
    """A batch's time is divided among its texts, the longer the more."""
    ticks: Iterator[float] = count(0.0, 0.01).__iter__()
    scanner = Scanner([Fake()], ALL, clock=lambda: next(ticks))
    (short,), (long,) = scanner.scan(["y", "y" * 7], Direction.PROMPT)
    assert short.latency_ms == pytest.approx(2.0)
    assert long.latency_ms == pytest.approx(8.0)


@pytest.mark.parametrize(
    ("outcomes", "action"),
    [
        ([], None),
        ([Outcome.PASS, Outcome.NOT_SCANNED], None),
        ([Outcome.FLAG, Outcome.PASS], Action.FLAG),
        ([Outcome.FLAG, Outcome.MASK], Action.MASK),
        ([Outcome.WITHHOLD, Outcome.MASK], Action.WITHHOLD),
        ([Outcome.BLOCK, Outcome.WITHHOLD], Action.BLOCK),
    ],
)
def test_the_strongest_verdict_decides(outcomes: list[Outcome], action: Action | None) -> None:
    """One guard is enough for its action, and the strongest action wins."""
    assert decision([verdict("g", outcome) for outcome in outcomes]) is action


def test_an_unread_text_is_blocked_when_the_policy_fails_closed() -> None:
    """Not scanned is never a pass unless the policy says so."""
    closed = verdict("g", Outcome.NOT_SCANNED).model_copy(update={"failed": "closed"})
    assert decision([closed, verdict("h")]) is Action.BLOCK
