"""The specification of all topics, for those who speak to Tidegate without its code: AsyncAPI 3."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, version
from inspect import getdoc
from typing import Any

import orjson
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from schemas.examples import examples
from schemas.topics import FEEDBACK, REQUESTS, TOPICS, WORK, Topic

Json = dict[str, Any]

PARTITIONS = 4
"""Partitions of each topic unless the settings say otherwise."""

_HOUR_MS = 3_600_000
_BINDING = "0.5.0"
_OVERVIEW = """\
Applications put a request on llm.requests.v1 and read its answer, by request_id, from \
llm.responses.v1. Every record is UTF-8 JSON. Readers ignore fields they do not know.

**Read with isolation level read_committed.** Every topic but llm.requests.v1 is written in \
transactions; most clients' default, read_uncommitted, also delivers records of transactions that \
were aborted, so an answer might be seen that was never given.

**request_id is an idempotency key**: within 15 minutes a second record with the same request_id \
gets no second answer but a dead letter. A retry takes a new one."""
_IN_TRANSACTIONS = "Written in transactions; read with isolation level read_committed."
_BY_APPLICATIONS = {
    REQUESTS: """\
Written by applications, one record a request, which needs no transaction. With kcat:

    echo '{"request_id": "r1", "prompt": "How do I order a new debit card?"}' |
        kcat -P -b 127.0.0.1:9092 -t llm.requests.v1
    kcat -C -b 127.0.0.1:9092 -t llm.responses.v1 -X isolation.level=read_committed""",
    FEEDBACK: f"Written by applications and by Tidegate. {_IN_TRANSACTIONS}",
}


def document() -> Json:
    """Return the AsyncAPI 3 document of everything that crosses Kafka.

    Each message has its JSON Schema and golden examples; each channel says key, retention, record
    size and how to read it.
    """
    models = _models()
    _, definitions = models_json_schema(
        [(model, "validation") for model in models],
        ref_template="#/components/schemas/{model}",
    )
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Tidegate",
            "version": _version(),
            "description": _OVERVIEW,
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {_channel_id(topic): _channel(topic) for topic in TOPICS},
        "operations": dict(_operation(topic) for topic in TOPICS),
        "components": {
            "messages": {model.__name__: _message(model, topic) for model, topic in models.items()},
            "schemas": {
                name: _described(schema) for name, schema in sorted(definitions["$defs"].items())
            },
        },
    }


def _models() -> dict[type[BaseModel], Topic]:
    return {model: topic for topic in TOPICS for model in topic.events}


def _version() -> str:
    try:
        return version("tidegate")
    except PackageNotFoundError:  # the source tree, not installed
        return "0"


def _channel_id(topic: Topic) -> str:
    """Return the short name of ``topic`` within the document.

    >>> _channel_id(WORK)
    'work'
    """
    return topic.name.split(".")[1]


def _channel(topic: Topic) -> Json:
    how = _BY_APPLICATIONS.get(topic, _IN_TRANSACTIONS)
    kept = "the last record of each key for good" if topic.compacted else f"{topic.hours} h"
    lines = [
        how,
        f"Key: {topic.key}. Kept: {kept}. Largest record: {topic.max_bytes:,} bytes. "
        f"Partitions: {PARTITIONS} unless set otherwise.",
    ]
    if topic.table:
        lines.append(f"Stored in the ClickHouse table {topic.table}.")
    settings: Json = {
        "cleanup.policy": ["compact" if topic.compacted else "delete"],
        "max.message.bytes": topic.max_bytes,
    }
    if not topic.compacted:
        settings["retention.ms"] = topic.hours * _HOUR_MS
    channel: Json = {
        "address": topic.name,
        "description": "\n\n".join(lines),
        "messages": {
            model.__name__: {"$ref": f"#/components/messages/{model.__name__}"}
            for model in topic.events
        },
        "bindings": {
            "kafka": {
                "partitions": PARTITIONS,
                "topicConfiguration": settings,
                "bindingVersion": _BINDING,
            }
        },
    }
    if topic is WORK:
        channel["parameters"] = {"pool": {"description": "The pool whose workers read it."}}
    return channel


def _operation(topic: Topic) -> tuple[str, Json]:
    """Return what an application does with ``topic``, as Tidegate sees it."""
    action = "receive" if topic in _BY_APPLICATIONS else "send"
    channel = _channel_id(topic)
    return f"{action}_{channel}", {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "messages": [
            {"$ref": f"#/channels/{channel}/messages/{model.__name__}"} for model in topic.events
        ],
    }


def _message(model: type[BaseModel], topic: Topic) -> Json:
    return {
        "name": model.__name__,
        "summary": _summary(model),
        "contentType": "application/json",
        "payload": {"$ref": f"#/components/schemas/{model.__name__}"},
        "bindings": {
            "kafka": {
                "key": {"type": "string", "description": topic.key},
                "bindingVersion": _BINDING,
            }
        },
        "examples": [
            {"name": name, "payload": orjson.loads(value)}
            for name, value in examples(topic).items()
            if len(topic.events) == 1 or orjson.loads(value)["type"] == _type(model)
        ],
    }


def _type(model: type[BaseModel]) -> str:
    return str(model.model_fields["type"].default)


def _summary(model: type[BaseModel]) -> str:
    return (getdoc(model) or "").partition("\n")[0]


def _described(schema: Json) -> Json:
    """Return ``schema`` with a description for readers of JSON: no sections about Python."""
    if "description" not in schema:
        return schema
    text = schema["description"].partition("\n\nRaises:")[0].replace("``", "")
    return schema | {"description": re.sub(r":\w+:`~?([^`]+)`", r"\1", text)}
