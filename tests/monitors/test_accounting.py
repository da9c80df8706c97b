"""Every request ends, or is named."""

from __future__ import annotations

import random

from monitors import accounting
from monitors.accounting import Accounting
from schemas.watching import WHOLE_SYSTEM, Observation
from tests.monitors.observations import Stream
from tests.monitors.watching import told, values


def ticks(stream: Stream, seconds: int) -> list[Observation]:
    """Return a tick every five seconds."""
    return [stream.after(5).tick() for _ in range(seconds // 5)]


def test_requests_that_end_in_time_say_nothing() -> None:
    """Answers and dead letters both settle their requests."""
    stream = Stream(WHOLE_SYSTEM)
    seen = []
    for offset in range(500):
        seen.append(stream.after(0.2).opened(offset, f"r{offset}", deadline_s=10))
        seen.append(stream.settled(offset, by="letter" if offset % 50 == 0 else "answer"))
    assert told(Accounting(), seen + ticks(stream, 120)) == []


def test_a_request_past_its_deadline_is_named_and_its_end_is_told() -> None:
    """Half a minute after the deadline it is named; the last one's end is the recovery."""
    stream = Stream(WHOLE_SYSTEM)
    opened = [stream.after(1).opened(n, f"r{n}", deadline_s=60) for n in range(5)]
    settled = [stream.settled(0), stream.settled(3)]
    late = ticks(stream, 120)
    ended = [stream.after(1).settled(offset) for offset in (1, 2, 4)]
    shift, back = told(Accounting(), opened + settled + late + ended)
    assert shift.cause == (
        "3 requests are past their deadline with neither answer nor dead letter, the first since "
        "12:01:02, of 3 in flight; e.g. r1, r2, r4"
    )
    assert shift.exemplars == ("r1", "r2", "r4")
    assert (shift.deployment, shift.metric) == (WHOLE_SYSTEM, "unanswered")
    assert back.kind == "recovery"
    assert back.origin == ended[-1].origin


def test_an_end_may_be_seen_before_its_request() -> None:
    """The order in which topics are read does not matter."""
    stream = Stream(WHOLE_SYSTEM)
    seen = []
    for offset in range(200):
        stream.after(0.1)
        seen += [stream.opened(offset, f"r{offset}", 1.0), stream.settled(offset)]
    random.Random(1).shuffle(seen)
    assert told(Accounting(), seen + ticks(stream, 120)) == []


def test_old_requests_are_given_time_to_be_seen_ending() -> None:
    """Catching up on requests long past their deadline is not an outage."""
    stream = Stream(WHOLE_SYSTEM)
    opened = [stream.opened(n, f"r{n}", deadline_s=-3600) for n in range(50)]
    settled = ticks(stream, 20) + [stream.settled(n) for n in range(50)]
    assert told(Accounting(), opened + settled + ticks(stream, 120)) == []


def test_what_is_in_flight_is_stated() -> None:
    """Every ten seconds the number in flight and overdue, once there was a request at all."""
    stream = Stream(WHOLE_SYSTEM)
    monitor = Accounting()
    assert values(monitor, ticks(stream, 60)) == []
    opened = [stream.opened(n, f"r{n}") for n in range(3)]
    stated = values(monitor, [*opened, stream.settled(1), *ticks(stream, 10)])
    assert {finding.metric: finding.value for finding in stated} == {"in_flight": 2, "overdue": 0}


def test_more_than_can_be_followed_is_counted() -> None:
    """State is bounded; what is not followed one by one is stated, not forgotten."""
    stream = Stream(WHOLE_SYSTEM)
    monitor = Accounting()
    many = accounting.TRACKED_MAX + 7
    opened = [stream.opened(offset, f"r{offset}") for offset in range(many)]
    stated = values(monitor, opened + ticks(stream, 10))
    assert {finding.metric: finding.value for finding in stated} == {
        "in_flight": accounting.TRACKED_MAX,
        "overdue": 0,
        "untracked": 7,
    }
    assert told(monitor, [stream.settled(offset) for offset in range(many)]) == []
