"""Planted personal data: the search finds what leaks, and the gate leaks none of it."""

from __future__ import annotations

import orjson

from infra.eval.planting import ANSWER, PATTERNS, Search, kinds_by_value, requests
from monitors.pii import Pii
from schemas.topics import COMPLETIONS, REQUESTS, RESPONSES, work_topic
from streams.log import Output, Partition, Record
from tests.streams.gating import completion, events, make_gate, request

MANY = 132


def record_of(output: Output) -> Record:
    """Return ``output`` as its reader gets it."""
    return Record(Partition(output.topic, 0), 0, 0, output.key, output.value)


def test_every_planted_value_of_a_form_is_one() -> None:
    """The guard for patterns finds each value alone, so that a leak is none of a false value."""
    for _, values in requests(MANY, seed=3):
        for kind in set(values) & set(PATTERNS):
            said = f"Pesel {values[kind]}" if kind == "NATIONAL_ID" else values[kind]
            (scan,) = Pii().scan([said])
            assert [span.label for span in scan.spans] == [kind]


def test_a_leak_is_seen_wherever_it_is() -> None:
    """A value counts on any topic but the requests', and in a response outside its text."""
    card = "4111 1111 1111 1111"
    search = Search({card: "CARD", "Ada\nLovelace": "PERSON"})
    for topic in (REQUESTS.name, COMPLETIONS.name):
        search.look_at_record(Record(Partition(topic, 0), 0, 0, None, f'"{card}"'.encode()))
    released = orjson.dumps({"text": card, "text_masked": "[CARD_1]"})
    search.look_at_record(Record(Partition(RESPONSES.name, 0), 0, 0, b"r", released))
    search.look("4111111111111111", "table t")
    search.look('{"name": "Ada\\nLovelace"}', "table t")
    assert dict(search.found.places) == {
        ("CARD", COMPLETIONS.name): 1,
        ("CARD", "table t"): 1,
        ("PERSON", "table t"): 1,
    }


def test_the_gate_lets_nothing_planted_through() -> None:
    """Of every kind with a form of its own, nothing is on what the gate writes, in or out."""
    written = list(requests(MANY, seed=4))
    search = Search(kinds_by_value(values for _, values in written))
    gate = make_gate()
    restored = 0
    for number, (fields, values) in enumerate(written):
        fields = {"prompt": None} | fields | {"request_id": f"r{number}"}
        outputs = gate([request(number, **fields)])
        (admitted,) = events(outputs)[work_topic("small")]
        answer = ANSWER.split(" Ours")[0]
        ended = gate([completion(number, text=answer, sealed=admitted.sealed)])
        (response,) = events(ended)[RESPONSES.name]
        restored += values["CARD"] in (response.text or "")
        for output in (*outputs, *ended):
            search.look_at_record(record_of(output))
    assert restored == MANY
    assert {place for place in search.found.places if place[0] in PATTERNS} == set()
