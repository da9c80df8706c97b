"""The runner of guards: one verdict each, whatever the guards do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from typing import ClassVar

import pytest

from monitors import GUARDS
from monitors.guard import Cost, Guard, Scan
from monitors.judging import NOT_SAMPLED, TIME_BUDGET
from monitors.matching import Expression
from monitors.patterns import Hit, PatternGuard
from monitors.scanning import Scanner, decision
from monitors.text import Text
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


class Words(PatternGuard):
    """A pattern guard that finds a word, and raises on ``boom`` and ``kaput``."""

    name = "words"
    version = "1"
    directions: tuple[Direction, ...] = tuple(Direction)
    action = Action.FLAG
    threshold = 0.5
    expressions: Sequence[Expression] = (
        Expression("BAD", r"\bbad\b"),
        Expression("BROKEN", "boom|kaput"),
    )

    def read(self, text: Text, hits: Iterable[Hit]) -> Scan:
        """Return a score of 0.7 for a text with a bad word."""
        chars = len(text.original)
        spans = []
        for label, match, source in hits:
            if label == "BROKEN":
                raise KeyError(label)
            spans.append(source.span(*match.span(), label))
        return Scan(0.7 if spans else 0.0, chars, tuple(spans))


class Slow(Fake):
    """The same by a language model."""

    cost = Cost.EMBEDDING


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
    """The worker's guards and the gate's are all guards, each once."""
    scanner = Scanner([kind() for kind in GUARDS], ALL)
    worker, gate = scanner.in_worker(), scanner.in_gate()
    assert {"pii", "secrets"} <= set(worker.required(Direction.ANSWER))
    assert {"tone", "refusal"} <= set(gate.required(Direction.ANSWER))
    both = (*worker.required(Direction.ANSWER), *gate.required(Direction.ANSWER))
    assert sorted(both) == sorted(scanner.required(Direction.ANSWER))


@pytest.mark.parametrize(
    ("guard", "action", "in_worker"),
    [
        (Fake(), Action.MASK, True),
        (Slow(), Action.MASK, False),  # it would hold up all answers that are being written
        (Fake(), Action.WITHHOLD, False),  # it reads batches
        (Words(), Action.WITHHOLD, True),
        (Words(), Action.FLAG, False),
        (Words(), Action.ESCALATE, False),
    ],
)
def test_passes_follow_the_policys_action(guard: Guard, action: Action, in_worker: bool) -> None:
    """What masks, and patterns that withhold, run where answers are generated."""
    scanner = Scanner([guard], Policy(name="p", rules={guard.name: GuardRule(action=action)}))
    names = (guard.name,)
    assert scanner.in_worker().required(Direction.ANSWER) == (names if in_worker else ())
    assert scanner.in_gate().required(Direction.ANSWER) == (() if in_worker else names)


def test_what_needs_a_language_model_is_known_before_it_reads() -> None:
    """So that it is loaded before there are requests."""
    guards = [Fake("a"), Slow("b")]
    assert Scanner(guards, ALL).needs_embeddings
    assert not Scanner(guards, Policy(name="p", guards=("a",))).needs_embeddings


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
        ([Outcome.FLAG, Outcome.ESCALATE], Action.ESCALATE),
        ([Outcome.ESCALATE, Outcome.MASK], Action.MASK),
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


def test_pattern_guards_share_one_pass_and_fail_alone() -> None:
    """What each of them finds is its own, and one that raises spoils only its own text."""
    other = Words()
    other.name = "other"
    other.expressions = (Expression("X", "x"),)
    scanner = Scanner([Words(), other, Fake()], Policy(name="p", fail="closed"))
    rows = scanner.scan(["bad", "x", "boom x", "good"], Direction.PROMPT)
    assert [[v.outcome.value for v in row] for row in rows] == [
        ["flag", "pass", "pass"],
        ["pass", "flag", "flag"],
        ["not_scanned", "flag", "not_scanned"],
        ["pass", "pass", "pass"],
    ]
    assert (rows[2][0].reason, rows[2][0].failed) == ("KeyError", "closed")


class Ahead(Words):
    """A guard that reads all texts ahead, in a second, and fails if one of them says ``boom``."""

    reads_all = True
    seconds: ClassVar[list[float]] = []

    def read_ahead(self, texts: Sequence[Text]) -> None:
        """Note each text's length."""
        self.seconds.append(1.0)
        for text in texts:
            if "boom" in text.original:
                raise KeyError("the text must not be quoted here")
            text.ahead[self.name] = len(text.original)

    def read(self, text: Text, hits: Iterable[Hit]) -> Scan:
        """Return a score of 1 for a text that was read ahead."""
        return Scan(float(self.name in text.ahead), len(text.original))


def test_texts_are_read_ahead_together() -> None:
    """The time of it is the guard's own; where it fails, each text is read all the same."""
    Ahead.seconds.clear()
    scanner = Scanner([Ahead()], ALL, lambda: sum(Ahead.seconds))
    (short,), (long,) = scanner.scan(["x", "long"], Direction.PROMPT)
    assert (short.score, long.score) == (1.0, 1.0)
    assert (round(short.latency_ms), round(long.latency_ms)) == (286, 714)
    (first,), (second,) = scanner.scan(["boom", "x"], Direction.PROMPT)
    assert (first.outcome, second.outcome) == (Outcome.PASS, Outcome.PASS)


def test_a_guard_whose_time_is_up_says_so() -> None:
    """Texts whose turn comes too late are not scanned, and the policy says what that means."""
    ticks = count(0.0, 0.004)
    policy = Policy(name="p", fail="closed", budget_ms=10)
    scanner = Scanner([Words(), Fake()], policy, clock=lambda: next(ticks))
    rows = scanner.scan(["bad x"] * 70, Direction.PROMPT)
    for place in (0, 1):
        column = [row[place] for row in rows]
        late = [v for v in column if v.reason == TIME_BUDGET]
        assert {(v.outcome, v.failed, v.scanned_chars) for v in late} == {
            (Outcome.NOT_SCANNED, "closed", 0)
        }
        assert 0 < len(late) < 70
        assert column[70 - len(late) :] == late


def test_a_guard_reads_as_much_as_it_may() -> None:
    """Of a long text the beginning is read, and the verdict says how much that was."""
    policy = Policy(
        name="p", rules={"words": GuardRule(max_chars=8), "fake": GuardRule(max_chars=3)}
    )
    (row,) = Scanner([Words(), Fake()], policy).scan(["so good and bad x"], Direction.PROMPT)
    assert [(v.outcome, v.scanned_chars, v.total_chars) for v in row] == [
        (Outcome.PASS, 8, 17),
        (Outcome.PASS, 3, 17),
    ]


def test_a_sample_is_of_whole_conversations() -> None:
    """Which texts are read depends on the conversation alone, and the others stop nothing."""
    policy = Policy(name="p", fail="closed", rules={"fake": GuardRule(sample=0.3)})
    scanner = Scanner([Fake()], policy)
    keys = [f"conversation-{number // 2}" for number in range(4000)]
    verdicts = [row[0] for row in scanner.scan(["x"] * 4000, Direction.PROMPT, keys)]
    unread = [v for v in verdicts if v.reason == NOT_SAMPLED]
    assert 0.25 < 1 - len(unread) / 4000 < 0.35
    assert {(v.outcome, v.failed, v.scanned_chars) for v in unread} == {
        (Outcome.NOT_SCANNED, "open", 0)
    }
    assert [v.outcome for v in verdicts[::2]] == [v.outcome for v in verdicts[1::2]]
    assert decision(unread) is None


def test_a_dear_guard_reads_what_a_cheap_one_is_in_doubt_of() -> None:
    """Only texts with a score in the band, and those the cheap one could not read."""
    rule = GuardRule(on_doubt_of="words", doubt=(0.6, 0.8))
    scanner = Scanner([Fake(), Words()], Policy(name="p", rules={"fake": rule}))
    rows = scanner.scan(["bad x", "x", "kaput"], Direction.PROMPT)
    assert [row[0].reason for row in rows] == ["", NOT_SAMPLED, ""]
    assert [row[0].guard for row in rows] == ["fake"] * 3
    assert rows[0][0].outcome is Outcome.FLAG
    assert rows[2][1].outcome is Outcome.NOT_SCANNED


def test_an_optional_guard_is_required_by_name_or_by_rule() -> None:
    """``all`` leaves out what a policy has to ask for."""
    dear = Fake("dear")
    dear.optional = True  # type: ignore[attr-defined]
    guards = [dear, Fake("cheap")]
    assert Scanner(guards, ALL).required(Direction.PROMPT) == ("cheap",)
    listed = Policy(name="p", guards=("dear",))
    assert Scanner(guards, listed).required(Direction.PROMPT) == ("dear",)
    ruled = Policy(name="p", rules={"dear": GuardRule(sample=0.5)})
    assert Scanner(guards, ruled).required(Direction.PROMPT) == ("dear", "cheap")
