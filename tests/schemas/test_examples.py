"""The golden examples hold for every topic, and what must be refused is refused."""

from __future__ import annotations

import orjson
import pytest
from pydantic import BaseModel

from schemas.base import Event
from schemas.codec import decode, decode_any, encode
from schemas.errors import DecodeError, PoisonError, UnknownVersion
from schemas.examples import bad_examples, examples
from schemas.requests import CompletionRequested
from schemas.topics import OBSERVATIONS, REQUESTS, TOPICS, Topic
from schemas.watching import Observation

EXAMPLES = [
    pytest.param(topic, value, id=f"{topic.name}/{name}")
    for topic in TOPICS
    for name, value in examples(topic).items()
]
REFUSED: dict[str, tuple[type[PoisonError], str]] = {
    "control-character": (DecodeError, "prompt: Value error, control character U+0007"),
    "empty": (DecodeError, "Invalid JSON"),
    "empty-prompt": (DecodeError, "the prompt is empty"),
    "naive-deadline": (DecodeError, "deadline_at: Input should have timezone info"),
    "no-prompt": (DecodeError, "the prompt is empty"),
    "no-request-id": (DecodeError, "request_id: Field required"),
    "not-an-object": (DecodeError, "Input should be an object"),
    "prompt-and-messages": (DecodeError, "give either prompt or messages, not both"),
    "truncated": (DecodeError, "Invalid JSON"),
    "undecodable": (DecodeError, "Invalid JSON"),
    "unknown-version": (UnknownVersion, "schema_version 2 is not 1"),
}


@pytest.mark.parametrize(("topic", "value"), EXAMPLES)
def test_an_example_survives_the_way_over_the_wire(topic: Topic, value: bytes) -> None:
    """What an example decodes to, encoded and decoded again, is the same event."""
    event = decode_any(topic, value)
    assert isinstance(event, topic.events)
    assert decode_any(topic, encode(event)) == event


@pytest.mark.parametrize(("topic", "value"), EXAMPLES)
def test_the_encoded_example_says_no_less_than_the_example(topic: Topic, value: bytes) -> None:
    """No field of an example is lost or changed, but for those that no event has."""
    event = decode_any(topic, value)
    _assert_within(orjson.loads(value), orjson.loads(encode(event)), event)


def _assert_within(example: object, encoded: object, model: object) -> None:
    if isinstance(example, dict) and isinstance(encoded, dict):
        for key, item in example.items():
            if isinstance(model, BaseModel) and key not in type(model).model_fields:
                continue
            if item is not None:
                _assert_within(item, encoded[key], getattr(model, key, None))
    elif isinstance(example, list) and isinstance(encoded, list):
        models = model if isinstance(model, tuple) else [None] * len(example)
        for item, back, part in zip(example, encoded, models, strict=True):
            _assert_within(item, back, part)
    elif isinstance(example, str) and isinstance(encoded, str) and example.endswith("Z"):
        assert encoded.rstrip("Z0").rstrip(".") == example.rstrip("Z0").rstrip(".")
    else:
        assert encoded == example


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_every_kind_of_event_has_an_example_and_an_edge(topic: Topic) -> None:
    """Each topic has at least two examples, and each of its events at least one."""
    found = [decode_any(topic, value) for value in examples(topic).values()]
    assert len(found) >= 2
    assert {type(event) for event in found} == set(topic.events)


def test_every_payload_of_an_observation_has_an_example() -> None:
    """Observations of each kind are shown, a tick that carries nothing included."""
    shown = set()
    for value in examples(OBSERVATIONS).values():
        event = decode(Observation, value)
        payloads = set(Observation.model_fields) - {*Event.model_fields, "deployment", "origin"}
        carried = frozenset(name for name in payloads if getattr(event, name) is not None)
        assert len(carried) <= 1
        shown.add(carried)
    assert len(shown) == len(payloads) + 1


def test_each_bad_request_is_listed() -> None:
    """Every file below bad/ has its expected refusal here, and the other way round."""
    assert set(bad_examples(REQUESTS)) == set(REFUSED)


@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_request_is_refused_with_its_reason(name: str) -> None:
    """A record that is no request raises the class the gate acts on, and says why."""
    error, reason = REFUSED[name]
    with pytest.raises(error, match=reason.replace("+", r"\+")):
        decode(CompletionRequested, bad_examples(REQUESTS)[name])
