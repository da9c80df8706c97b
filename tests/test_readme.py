"""What the documents promise is there: commands, settings, files, queries and the plain client."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from infra.cli import COMMANDS
from infra.settings_sources import known_keys, variable_of
from infra.store import StoreServer
from infra.topics import apply
from schemas.topics import REQUESTS, RESPONSES
from streams.clickhouse_client import connect
from streams.kafka_log import client_options
from streams.log import Connection

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    """Every link to a file of the project has one at its end."""
    links = re.findall(r"\]\((?!https?://)([^)#]+)", document.read_text())
    assert [link for link in links if not (document.parent / link).exists()] == []


def test_every_decision_is_listed() -> None:
    """The design's list of decisions has all of them, in order."""
    listed = re.findall(r"\(adr/([^)]+)\)$", (ROOT / "docs/design.md").read_text(), re.MULTILINE)
    assert listed == [path.name for path in sorted((ROOT / "docs/adr").glob("*.md"))]


def test_commands_and_settings_exist() -> None:
    """No command, make target or setting that the README names is missing or misspelt."""
    assert set(re.findall(r"\btidegate ([a-z]+)", README)) <= {*COMMANDS}
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(re.findall(r"`make ([a-z]+)", README)) <= set(targets)
    known = {variable_of(key) for key in known_keys()}
    named = {name.removesuffix("_FILE") for name in re.findall(r"TIDEGATE_\w+", README)}
    assert named <= known


def test_every_topic_and_table_named_is_one() -> None:
    """Topics that the README names are made, and folders that it names are there."""
    assert set(re.findall(r"llm\.\w+\.v1", README)) <= {REQUESTS.name, RESPONSES.name}
    for name in re.findall(r"`((?:infra|registry|docs|tests)/[\w/.]+)`", README):
        shipped = ROOT / name.replace("registry/", "infra/registry_defaults/")
        assert shipped.exists()


@pytest.mark.clickhouse
def test_the_queries_run(clickhouse_server: StoreServer) -> None:
    """Each query of the README runs as the reader."""
    [block] = _blocks("sql")
    queries = [query for query in re.split(r";$", block, flags=re.MULTILINE) if query.strip()]
    client = connect(clickhouse_server.reader)
    try:
        results = [client.query(query) for query in queries]
    finally:
        client.close()
    assert len(results) == 4


@pytest.mark.kafka
async def test_the_plain_client_gets_its_answer(kafka: Connection) -> None:
    """The README's script asks and prints the answer to its own question, not to another's."""
    await apply(kafka, ["small"])
    [script] = _blocks("python")
    assert '"127.0.0.1:9092"' in script
    script = script.replace("127.0.0.1:9092", kafka.bootstrap)
    requests = AIOKafkaConsumer(REQUESTS.name, **client_options(kafka))
    responses = AIOKafkaProducer(**client_options(kafka))
    async with requests, responses:
        await requests.seek_to_end()
        asked = asyncio.create_task(
            asyncio.to_thread(
                subprocess.run,
                [sys.executable, "-c", script],
                check=True,
                capture_output=True,
                text=True,
                timeout=120,
            )
        )
        request = json.loads((await requests.getone()).value)
        for request_id, text in (("another", "No."), (request["request_id"], "In the app.")):
            response = {"request_id": request_id, "status": "released", "text": text}
            await responses.send_and_wait(RESPONSES.name, json.dumps(response).encode())
        done = await asked
    assert request["prompt"] == "How do I order a new debit card?"
    assert done.stdout == "In the app.\n"
