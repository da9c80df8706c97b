"""Laws of every monitor over streams that hypothesis makes up: short, odd and out of order."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitors import MONITORS, PROBE_MONITORS
from monitors.monitor import Monitor
from monitors.questions import ROLES
from monitors.watch import Watch
from schemas.codec import encode
from schemas.questions import (
    CATEGORY_TAG,
    CONTEXT_TAG,
    LIMIT_TAG,
    POLARITY_TAG,
    QUESTIONS_TAG,
    ROLE_TAG,
)
from schemas.requests import ResponseStatus
from schemas.verdicts import Direction, Outcome
from schemas.watching import Observation
from tests.monitors.observations import Stream, verdict
from tests.monitors.watching import handed_over

EVERY_MONITOR = pytest.mark.parametrize(
    "kind", [*MONITORS, *PROBE_MONITORS], ids=lambda kind: str(kind.name)
)
Made = Callable[[Stream, int], Observation]
QUESTION_TAGS = (QUESTIONS_TAG, CATEGORY_TAG, CONTEXT_TAG, POLARITY_TAG, LIMIT_TAG)
ANY_S = st.sampled_from([0.0, 0.001, 0.7, 5.0, 90_000.0])
OUTCOMES = st.sampled_from(list(Outcome))
TAGS = st.dictionaries(
    st.sampled_from(["group.age", "channel", "probe", "probe.turn", "plant", "plant.every_s"]),
    st.sampled_from(["", "a", "b", "7", "-1e400", "ä" * 40]),
    max_size=4,
) | st.fixed_dictionaries(
    {f"{ROLE_TAG}{role}": st.sampled_from(["", "a", "b"]) for role in ROLES}
    | {tag: st.sampled_from(["a", "7", "-1e400", "nan", "ambiguous"]) for tag in QUESTION_TAGS}
)


def answers() -> st.SearchStrategy[Made]:
    """Return answers of any pool, topic, status and length."""

    def made(late_s: float, tokens: int, pool: str | None, status: ResponseStatus,
             topic: str, tags: dict[str, str]) -> Made:  # fmt: skip
        return lambda stream, number: stream.response(
            f"r{number % 60}", latency_s=late_s, tokens=tokens, pool=pool, status=status,
            topic=topic, metadata=tags, text=topic[:1],
        )  # fmt: skip

    return st.builds(
        made,
        ANY_S,
        st.sampled_from([0, 1, 30, 32_768]),
        st.sampled_from(["small", "large", None]),
        st.sampled_from(list(ResponseStatus)),
        st.sampled_from(["card", "other", "travel"]),
        TAGS,
    )


def scans() -> st.SearchStrategy[Made]:
    """Return verdicts of two guards on texts of any side."""

    def made(first: Outcome, second: Outcome, side: Direction, tags: dict[str, str]) -> Made:
        def scan(stream: Stream, number: int) -> Observation:
            verdicts = [verdict("pii", first, ["CARD"]), verdict("refusal", second)]
            one = stream.scanned(f"r{number % 60}", verdicts, side)
            assert one.scanned is not None
            scanned = one.scanned.model_copy(update={"metadata": tags})
            return one.model_copy(update={"scanned": scanned})

        return scan

    return st.builds(made, OUTCOMES, OUTCOMES, st.sampled_from(list(Direction)), TAGS)


def others() -> st.SearchStrategy[Made]:
    """Return ticks, pools, and requests that are opened and settled."""
    kinds: list[Made] = [
        lambda stream, _: stream.tick(),
        lambda stream, number: stream.pool(live_workers=number % 2, waiting_requests=number % 5),
        lambda stream, number: stream.opened(number, f"r{number}", 1.0),
        lambda stream, number: stream.settled(number // 2),
    ]
    return st.sampled_from(kinds)


@st.composite
def streams(draw: st.DrawFn) -> list[Observation]:
    """Return some observations of one deployment, many of them alike, some out of order."""
    stream = Stream("bank")
    found: list[Observation] = []
    parts = draw(st.lists(st.tuples(st.one_of(answers(), scans(), others()), ANY_S,
                                    st.integers(1, 25)), max_size=6))  # fmt: skip
    for make, gap_s, times in parts:
        for _ in range(times):
            found.append(make(stream.after(min(gap_s, 5.0)), len(found)))
        stream.after(gap_s)
    if len(found) > 2 and draw(st.booleans()):
        place = draw(st.integers(0, len(found) - 2))
        found[place], found[place + 1] = found[place + 1], found[place]
    return found


def said(watch: Watch, observations: list[Observation]) -> list[bytes]:
    """Return every finding as it goes over the wire."""
    return [encode(finding) for one in observations for finding in watch.observe(one)]


@EVERY_MONITOR
@settings(max_examples=6, derandomize=True)
@given(observations=streams(), share=st.floats(0, 1), data=st.data())
def test_restarts_and_repeats_change_nothing(
    kind: type[Monitor], observations: list[Observation], share: float, data: st.DataObject
) -> None:
    """Restored at any place, with a stretch read twice, a monitor says the same and no more."""
    expected = said(Watch("bank", [kind()]), observations)
    assert said(Watch("bank", [kind()]), observations) == expected
    stop = int(share * len(observations))
    watch = Watch("bank", [kind()])
    found = said(watch, observations[:stop])
    restored = handed_over(watch, Watch("bank", [kind()]))
    again = data.draw(st.integers(0, stop))
    found += said(restored, observations[again:stop])
    assert [*found, *said(restored, observations[stop:])] == expected
