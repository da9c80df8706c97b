"""Answers read while they grow."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from monitors import GUARDS
from monitors.scanning import Scanner
from monitors.stopping import CHECK_CHARS, HOLD_BACK_CHARS, Stopping
from schemas.registry import GuardRule, Policy
from schemas.requests import Stopped
from schemas.verdicts import Action, Direction, Outcome

WITHHOLD = GuardRule(action=Action.WITHHOLD)
POLICY = Policy(name="strict", rules={"tone": WITHHOLD, "secrets": WITHHOLD})
SCANNER = Scanner([kind() for kind in GUARDS], POLICY)
FILLER = "You can close it in the app, or come to any branch with your passport. "
INSULT = "Really, you are such a stupid idiot! "


def stopping() -> Stopping:
    """Return what may stop an answer under the policy of these tests."""
    found = SCANNER.stopping()
    assert found is not None
    return found


STOPPING = stopping()


def grow(text: str, piece: int = 5) -> Stopped | None:
    """Return who stops ``text`` when it comes in pieces."""
    with STOPPING.begin() as growing:
        for start in range(0, len(text), piece):
            if stopped := growing.add(text[start : start + piece]):
                return stopped
        return growing.check(last=True)


def test_a_bad_answer_is_stopped_where_it_turns_bad() -> None:
    """It ends within a look of the insult, of which a reader who follows it sees nothing."""
    text = FILLER * 20 + INSULT + FILLER * 20
    stopped = grow(text)
    assert stopped is not None
    begins = text.index(INSULT)
    assert stopped.guard == "tone"
    assert begins < stopped.generated_chars <= begins + len(INSULT) + CHECK_CHARS + 5
    assert begins - HOLD_BACK_CHARS - CHECK_CHARS <= stopped.released_chars < begins
    assert stopped.hold_back_chars == HOLD_BACK_CHARS


def test_a_good_answer_is_left_alone() -> None:
    """Nothing is stopped that the whole answer would not be withheld for."""
    assert grow(FILLER * 50) is None


def test_only_guards_that_withhold_can_stop() -> None:
    """Where no policy withholds by patterns, nothing is read on the way."""
    flags = Policy(name="p", guards=("tone", "refusal"))
    assert Scanner([kind() for kind in GUARDS], flags).stopping() is None
    assert [duty.guard.name for duty in STOPPING.duties if duty.guard.name == "tone"]


PARTS = (FILLER, "you are ", "stupid", " IDIOTS ", "\u200b", "\uff59ou ", "password: ", "q7RzX2mV9")


@given(
    st.lists(
        st.sampled_from((FILLER, "you are ", "stupid", " IDIOTS ", "\u200b", "\uff59ou ")),
        max_size=9,
    ),
    st.integers(1, 70),
)
def test_growing_finds_what_the_whole_holds(parts: list[str], piece: int) -> None:
    """However an answer is cut, it is stopped if what stops it would withhold it as a whole."""
    text = "".join(parts)
    (verdicts,) = SCANNER.in_worker().scan([text], Direction.ANSWER)
    whole = any(v.outcome is Outcome.WITHHOLD for v in verdicts)
    stopped = grow(text, piece)
    if whole:
        assert stopped is not None
    if stopped is not None:
        (so_far,) = SCANNER.in_worker().scan([text[: stopped.generated_chars]], Direction.ANSWER)
        assert any(v.score >= v.threshold and v.guard == stopped.guard for v in so_far)


def test_reading_a_suspicious_answer_stays_in_proportion() -> None:
    """What keeps looking bad is read a limited number of times its length."""
    read = 0
    (duty,) = [duty for duty in STOPPING.duties if duty.guard.name == "tone"]
    guard = STOPPING.guards[STOPPING.duties.index(duty)]
    original = guard.scan_alone

    def counted(text: object) -> object:
        nonlocal read
        read += len(text.original)  # type: ignore[attr-defined]
        return original(text)  # type: ignore[arg-type]

    guard.scan_alone = counted  # type: ignore[method-assign,assignment]
    try:
        for chars in (20_000, 40_000):
            read = 0
            assert grow("the LOUD word " * (chars // 14)) is None
            assert read <= 80 * chars
    finally:
        del guard.scan_alone
