"""Between bytes and events: whole, forgiving about new fields, silent about refused text."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.base import Origin, event_id
from schemas.codec import decode, decode_any, encode, peek
from schemas.deadletters import DeadLetter, DeadLetterReason
from schemas.errors import DecodeError, PoisonError, UnknownVersion
from schemas.requests import CompletionRequested, Message
from schemas.topics import FEEDBACK, TOPICS, topic_of, work_topic
from schemas.watching import Finding

SECRET = "4111-1111-1111-1111"
ORIGIN = Origin(topic="llm.requests.v1", partition=3, offset=17)
AT = datetime(2026, 3, 2, 9, 15, tzinfo=UTC)


@given(st.binary(max_size=200))
def test_any_bytes_are_an_event_or_poison(value: bytes) -> None:
    """Whatever lies on a topic, reading it gives an event or an error the loop knows."""
    for topic in TOPICS:
        try:
            event = decode_any(topic, value)
        except PoisonError:
            continue
        assert isinstance(event, topic.events)


@given(
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(str.strip),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200),
)
def test_a_request_survives_the_wire(prompt: str, request_id: str) -> None:
    """Any prompt without control characters, under any id, comes back as it was."""
    request = CompletionRequested(request_id=request_id, prompt=prompt)
    assert decode(CompletionRequested, encode(request)) == request


@pytest.mark.parametrize(
    "value",
    [
        f'{{"request_id": "a", "prompt": "b", "metadata": {{"{SECRET}": 1}}}}',
        f'{{"request_id": "a", "prompt": "b", "workspace": "{SECRET} {SECRET}"}}',
        f'{{"request_id": "a", "messages": [{{"role": "{SECRET}", "content": "b"}}]}}',
        f'{{"request_id": "a", "prompt": ["{SECRET}"]}}',
        f'{{"request_id": "a", "prompt": "{SECRET}\\u0000"}}',
        f'{{"request_id": "a", "prompt": "b", "schema_version": "{SECRET}"}}',
        f'{{"request_id": "a", "prompt": "{SECRET}',
    ],
)
def test_a_refusal_never_repeats_what_was_refused(value: str) -> None:
    """Text of a record that cannot be read does not leak into what is logged and stored."""
    with pytest.raises(PoisonError) as refused:
        decode(CompletionRequested, value.encode())
    assert SECRET not in str(refused.value)
    assert str(refused.value)


def test_an_unknown_type_is_not_repeated_either() -> None:
    """On a topic with several events the refusal lists the known types, not the one given."""
    with pytest.raises(DecodeError, match="type is none of 'feedback_received'") as refused:
        decode_any(FEEDBACK, f'{{"type": "{SECRET}"}}'.encode())
    assert SECRET not in str(refused.value)


def test_a_refusal_names_the_field() -> None:
    """A reader of the log sees which field of which event was wrong."""
    with pytest.raises(DecodeError, match=r"alert_acknowledged\.alert_id: Field required"):
        decode_any(FEEDBACK, b'{"type": "alert_acknowledged"}')


@pytest.mark.parametrize("version", ["0", "2", '"1"', "null", "[]"])
def test_another_version_is_told_apart(version: str) -> None:
    """A version this build does not read is no mere undecodable record."""
    value = f'{{"schema_version": {version}, "request_id": "a", "prompt": "b"}}'
    with pytest.raises(UnknownVersion):
        decode(CompletionRequested, value.encode())


def test_a_tombstone_is_no_event() -> None:
    """A record without a value is refused like an empty one."""
    with pytest.raises(DecodeError):
        decode(CompletionRequested, None)


def test_peek_reads_what_it_can() -> None:
    """A look at a record gives its object, or nothing, and never raises."""
    assert peek(b'{"request_id": "a", "prompt": 7}') == {"request_id": "a", "prompt": 7}
    assert peek(b"[1]") == peek(b"\xff") == peek(None) == {}


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_finding_has_a_value(value: float) -> None:
    """JSON has no NaN and no infinity: such a finding is refused where it is made."""
    with pytest.raises(ValidationError, match="finite number"):
        Finding(
            event_id=ORIGIN.cause("finding"),
            occurred_at=AT,
            monitor="ttft",
            monitor_version="1",
            kind="value",
            deployment="bank",
            metric="ttft_p90_s",
            value=value,
            origin=ORIGIN,
        )


def test_a_long_detail_is_cut_not_refused() -> None:
    """Reporting what went wrong never fails for having too much to say."""
    letter = DeadLetter(
        event_id=ORIGIN.cause("dead_letter"),
        occurred_at=AT,
        reason=DeadLetterReason.CRASHED,
        detail="x" * 5000,
        consumer="tidegate-gate",
        origin=ORIGIN,
        origin_appended_at=AT,
        value_bytes=0,
    )
    assert letter.detail == "x" * 1000
    assert decode(DeadLetter, encode(letter)) == letter


def test_event_ids_follow_from_their_cause() -> None:
    """The same cause has the same id, another kind, place or part another one."""
    ids = {
        ORIGIN.cause("response"),
        ORIGIN.cause("completion"),
        ORIGIN.cause("scanned", "prompt", 0),
        ORIGIN.cause("scanned", "prompt", 1),
        Origin(topic="llm.requests.v1", partition=31, offset=7).cause("response"),
        Origin(topic="llm.requests.v2", partition=3, offset=17).cause("response"),
    }
    assert len(ids) == 6
    assert ORIGIN.cause("response") == event_id("response", "llm.requests.v1", 3, 17)
    assert str(ORIGIN.cause("response")) == "8a88a3e6-bf54-51fb-8c0e-ae36806b7a23"


def test_a_request_is_read_the_same_however_it_was_given() -> None:
    """A prompt is short for one turn of the user's; the key is the conversation if there is one."""
    short = CompletionRequested(request_id="a", prompt="Hello")
    turn = Message(role="user", content="Hello")
    long = CompletionRequested(request_id="a", messages=(turn,), conversation_id="c")
    assert short.turns == long.turns
    assert short.prompt_sha256 == long.prompt_sha256
    assert (short.key, long.key) == ("a", "c")


def test_topics_are_found_by_name() -> None:
    """Every topic is found by its name, the work topics of all pools as one kind."""
    for topic in TOPICS:
        assert topic_of(topic.name.format(pool="any-pool.v1")) is topic
    assert topic_of(work_topic("small")).name == "llm.work.{pool}.v1"
    for name in ("llm.work..v1", "llm.requests.v2", "", "other"):
        with pytest.raises(KeyError):
            topic_of(name)
