"""Guards that judge an answer beside what it was given to."""

from __future__ import annotations

from collections.abc import Sequence

from monitors.guard import Context, Scan
from monitors.judging import NO_CONTEXT, NO_PASSAGES, NOT_SAMPLED
from monitors.scanning import Scanner, decision
from schemas.registry import GuardRule, Policy
from schemas.verdicts import Action, Direction, Outcome, Verdict


class Echo:
    """Flags an answer that does not repeat the question."""

    name = "echo"
    version = "1"
    directions: tuple[Direction, ...] = (Direction.ANSWER,)
    action = Action.WITHHOLD
    threshold = 0.5
    needs_passages = False

    def scan(self, texts: Sequence[str]) -> list[Scan]:
        """Refuse to read answers by themselves."""
        raise AssertionError("read without its question")

    def scan_in_context(self, texts: Sequence[str], contexts: Sequence[Context]) -> list[Scan]:
        """Return one scan per answer, in order."""
        if "crash" in texts:
            raise RuntimeError
        return [
            Scan(float(context.question not in text), len(text))
            for text, context in zip(texts, contexts, strict=True)
        ]


class Leaning(Echo):
    """The same, of answers that passages came with."""

    name = "leaning"
    needs_passages = True


def verdicts(
    texts: Sequence[str], contexts: Sequence[Context | None], policy: Policy
) -> list[tuple[Verdict, ...]]:
    """Return the verdicts of both guards on answers."""
    scanner = Scanner([Echo(), Leaning()], policy)
    return [tuple(v) for v in scanner.scan(texts, Direction.ANSWER, texts, contexts)]


POLICY = Policy(name="p", fail="closed")


def test_each_answer_is_read_beside_its_own_question() -> None:
    """Answers of one batch keep their contexts, whatever stands between them."""
    contexts = [Context("a", passages=("p",)), None, Context("b", passages=("p",))]
    first, unknown, last = verdicts(["a!", "a!", "a!"], contexts, POLICY)
    assert [v.outcome for v in first] == [Outcome.PASS] * 2
    assert [v.reason for v in unknown] == [NO_CONTEXT] * 2
    assert [v.outcome for v in last] == [Outcome.WITHHOLD] * 2


def test_an_answer_without_passages_is_not_to_be_read_by_who_needs_some() -> None:
    """Having nothing to hold an answer against stops nothing, even under a closed policy."""
    ((echo, leaning),) = verdicts(["a"], [Context("a")], POLICY)
    assert echo.outcome is Outcome.PASS
    assert (leaning.reason, leaning.failed) == (NO_PASSAGES, "open")


def test_an_unknown_context_stops_where_the_policy_fails_closed() -> None:
    """That nobody knows what was asked is a failure, and the policy says what follows."""
    (found,) = verdicts(["a"], [None], POLICY)
    assert decision(found) is Action.BLOCK


def test_one_that_crashes_costs_one_verdict() -> None:
    """Its neighbours are read again, each beside its own question."""
    contexts = [Context("a", passages=("p",)), Context("b", passages=("p",))]
    crashed, read = verdicts(["crash", "b"], contexts, POLICY)
    assert [v.reason for v in crashed] == ["RuntimeError"] * 2
    assert [v.outcome for v in read] == [Outcome.PASS] * 2


def test_a_sample_of_answers_is_read_beside_its_questions() -> None:
    """What is not in the sample is told so, before anyone asks for its context."""
    policy = Policy(name="p", rules={"echo": GuardRule(sample=0.0)})
    ((echo, _),) = verdicts(["a"], [None], policy)
    assert echo.reason == NOT_SAMPLED


def test_a_scanner_says_whether_it_needs_contexts() -> None:
    """So that a completion carries them only where someone reads them."""
    assert Scanner([Echo()], POLICY).judges_in_context
    assert not Scanner([], POLICY).judges_in_context
    assert Scanner([Echo()], POLICY).in_gate().judges_in_context
