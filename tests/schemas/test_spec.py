"""The published specification is AsyncAPI 3, agrees with itself and with the golden examples."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft7Validator  # type: ignore[import-untyped] # has no stubs
from referencing import Registry
from referencing.jsonschema import DRAFT7

from infra.settings import Settings
from infra.topics import Layout
from schemas.examples import bad_examples
from schemas.spec import PARTITIONS, document
from schemas.topics import RECORD_MAX_BYTES, REQUESTS, TOPICS, Topic

Json = dict[str, Any]
REQUIRED = {"asyncapi", "info"}
ALLOWED = {
    "root": REQUIRED
    | {"id", "servers", "defaultContentType", "channels", "operations", "components"},
    "channel": {
        "address", "messages", "title", "summary", "description", "servers", "parameters", "tags",
        "externalDocs", "bindings",
    },
    "operation": {
        "action", "channel", "title", "summary", "description", "security", "tags",
        "externalDocs", "bindings", "traits", "messages", "reply",
    },
    "message": {
        "headers", "payload", "correlationId", "contentType", "name", "title", "summary",
        "description", "tags", "externalDocs", "bindings", "examples", "traits",
    },
    "example": {"headers", "payload", "name", "summary"},
    "components": {
        "schemas", "servers", "channels", "operations", "messages", "securitySchemes",
        "serverVariables", "parameters", "correlationIds", "replies", "replyAddresses",
        "externalDocs", "tags", "operationTraits", "messageTraits", "serverBindings",
        "channelBindings", "operationBindings", "messageBindings",
    },
    "topic settings": {
        "cleanup.policy", "retention.ms", "retention.bytes", "delete.retention.ms",
        "max.message.bytes",
    },
}  # fmt: skip
"""The fields AsyncAPI 3.0.0 knows, by kind of object; it allows no others."""

BEYOND_DRAFT_7 = {"$defs", "prefixItems", "unevaluatedProperties", "dependentRequired", "$anchor"}


@pytest.fixture(scope="module")
def spec() -> Json:
    """The document as its readers get it: through JSON."""
    read: Json = json.loads(json.dumps(document()))
    return read


def test_every_object_has_the_fields_asyncapi_knows(spec: Json) -> None:
    """Nothing is missing that AsyncAPI requires, nothing is there that it does not know."""
    assert spec.keys() >= REQUIRED
    assert spec["asyncapi"] == "3.0.0"
    assert spec["info"].keys() >= {"title", "version"}
    assert spec.keys() <= ALLOWED["root"]
    assert spec["components"].keys() <= ALLOWED["components"]
    for channel in spec["channels"].values():
        assert channel.keys() <= ALLOWED["channel"]
        kafka = channel["bindings"]["kafka"]
        assert kafka.keys() == {"partitions", "topicConfiguration", "bindingVersion"}
        assert kafka["topicConfiguration"].keys() <= ALLOWED["topic settings"]
    for operation in spec["operations"].values():
        assert operation.keys() <= ALLOWED["operation"]
        assert operation["action"] in ("send", "receive")
    for message in spec["components"]["messages"].values():
        assert message.keys() <= ALLOWED["message"]
        assert all(example.keys() <= ALLOWED["example"] for example in message["examples"])


def test_identifiers_are_of_the_allowed_form(spec: Json) -> None:
    """Names below components and of channels hold only letters, digits, dots, dashes."""
    names = [*spec["channels"], *spec["operations"]]
    for group in spec["components"].values():
        names += group
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+", name) for name in names)


def test_every_parameter_of_an_address_is_declared(spec: Json) -> None:
    """An address with a part in braces says what stands there."""
    for channel in spec["channels"].values():
        named = set(re.findall(r"{(\w+)}", channel["address"]))
        assert named == set(channel.get("parameters", {}))


def _references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for item in node.values():
            yield from _references(item)
    elif isinstance(node, list):
        for item in node:
            yield from _references(item)


def test_every_reference_resolves(spec: Json) -> None:
    """Each reference leads to something in the document itself."""
    found = set(_references(spec))
    assert found
    for reference in found:
        node: Any = spec
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]
        assert isinstance(node, dict)


def test_an_operation_names_messages_of_its_channel(spec: Json) -> None:
    """What is sent or received is one of the messages that the channel lists."""
    for operation in spec["operations"].values():
        channel = operation["channel"]["$ref"]
        for message in operation["messages"]:
            assert message["$ref"].startswith(f"{channel}/messages/")


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_a_channel_says_what_a_client_must_know(spec: Json, topic: Topic) -> None:
    """Key, retention, sizes, partitions and how to read stand with every topic."""
    [channel] = [item for item in spec["channels"].values() if item["address"] == topic.name]
    assert set(channel["messages"]) == {event.__name__ for event in topic.events}
    settings = channel["bindings"]["kafka"]["topicConfiguration"]
    applied = Layout().settings(topic.name, topic)
    for name, value in settings.items():
        said = ",".join(value) if isinstance(value, list) else str(value)
        assert applied[name] == said
    assert f"Key: {topic.key}." in channel["description"]
    transactional = "Written in transactions; read with isolation level read_committed."
    assert (transactional in channel["description"]) is (topic is not REQUESTS)
    if topic.table:
        assert f"table {topic.table}." in channel["description"]


def test_requests_are_smaller_than_what_is_made_of_them(spec: Json) -> None:
    """A request may take 1 MiB a record, everything else 4 MiB; alerts and audit are compacted."""
    sizes = {}
    compacted = []
    for name, channel in spec["channels"].items():
        settings = channel["bindings"]["kafka"]["topicConfiguration"]
        sizes[name] = settings["max.message.bytes"]
        if settings["cleanup.policy"] == ["compact"]:
            compacted.append(name)
    assert sizes.pop("requests") == 1 << 20
    assert set(sizes.values()) == {RECORD_MAX_BYTES} == {4 << 20}
    assert compacted == ["alerts", "audit"]


def test_the_default_of_partitions_is_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of partitions the document states is what `topics apply` makes."""
    monkeypatch.delenv("TIDEGATE_TOPICS__PARTITIONS", raising=False)
    assert Settings.model_fields["topics"].default.partitions == Layout().partitions == PARTITIONS


def _validator(spec: Json, name: str) -> Draft7Validator:
    registry: Registry[Any] = Registry().with_resource("", DRAFT7.create_resource(spec))
    schema = {"$ref": f"#/components/schemas/{name}"}
    return Draft7Validator(spec | schema, registry=registry)


def test_schemas_are_of_the_dialect_asyncapi_assumes(spec: Json) -> None:
    """Each schema is JSON Schema draft 7, and uses no keyword that came later."""
    for schema in spec["components"]["schemas"].values():
        Draft7Validator.check_schema(schema)
        assert not BEYOND_DRAFT_7 & set(_keywords(schema))


def _keywords(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        yield from node
        for item in node.values():
            yield from _keywords(item)
    elif isinstance(node, list):
        for item in node:
            yield from _keywords(item)


def test_every_example_is_valid_by_its_schema(spec: Json) -> None:
    """Each message has an example, and each example fits the message's schema."""
    for name, message in spec["components"]["messages"].items():
        assert message["examples"]
        validator = _validator(spec, name)
        for example in message["examples"]:
            assert [error.message for error in validator.iter_errors(example["payload"])] == []


@pytest.mark.parametrize("name", ["unknown-version", "no-request-id", "not-an-object"])
def test_the_schema_refuses_what_the_gate_refuses(spec: Json, name: str) -> None:
    """A client that checks by the document finds what can be said in JSON Schema."""
    value = json.loads(bad_examples(REQUESTS)[name])
    assert not _validator(spec, "CompletionRequested").is_valid(value)


def test_descriptions_are_for_readers_of_json(spec: Json) -> None:
    """No Python shows in what is said of an event."""
    for schema in spec["components"]["schemas"].values():
        assert not re.search(r"``|:\w+:`|Raises:", schema.get("description", ""))
