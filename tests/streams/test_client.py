"""The client: requests go out once, answers find those who wait for them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from infra.topics import Layout, apply
from schemas.base import Origin, event_id
from schemas.codec import decode, encode
from schemas.deadletters import DeadLetter, DeadLetterReason
from schemas.errors import LogUnavailable
from schemas.requests import CompletionRequested, ResponseReleased, ResponseStatus
from schemas.topics import DEADLETTER, REQUEST_MAX_BYTES, REQUESTS, RESPONSES
from streams.client import Client, RequestTooLarge
from streams.kafka_log import client_options
from streams.log import Connection
from streams.tail import Tail
from tests.embedded import free_port

pytestmark = pytest.mark.kafka


@pytest.fixture
async def topics(kafka: Connection) -> AsyncIterator[Connection]:
    """A broker with the pipeline's topics, made for one test."""
    await apply(kafka, [], Layout(partitions=2))
    yield kafka
    admin = AIOKafkaAdminClient(**client_options(kafka))
    await admin.start()
    await admin.delete_topics([REQUESTS.name, RESPONSES.name, DEADLETTER.name])
    await admin.close()


def request(request_id: str, prompt: str = "hello") -> CompletionRequested:
    """Return a request."""
    return CompletionRequested(request_id=request_id, prompt=prompt)


async def echo(connection: Connection) -> None:
    """Answer every request with its prompt in a transaction; set aside those that ask for it."""
    producer = AIOKafkaProducer(**client_options(connection), transactional_id="echo")
    async with Tail(connection, [REQUESTS.name], from_start=True) as asked, producer:
        async for record in asked.read_for_ever():
            wish = decode(CompletionRequested, record.value)
            where = Origin(
                topic=record.partition.topic,
                partition=record.partition.number,
                offset=record.offset,
            )
            for abort in (True, False):
                await producer.begin_transaction()
                if wish.prompt == "unreadable":
                    letter = dead(wish.request_id, where)
                    await producer.send_and_wait(DEADLETTER.name, encode(letter))
                text = "aborted" if abort else str(wish.prompt)
                if wish.prompt != "unreadable":
                    await producer.send_and_wait(
                        RESPONSES.name, encode(response(wish.request_id, text, where))
                    )
                if abort:
                    await producer.abort_transaction()
                else:
                    await producer.commit_transaction()


def response(request_id: str, text: str, where: Origin) -> ResponseReleased:
    """Return an answer."""
    return ResponseReleased(
        event_id=event_id("response", request_id),
        occurred_at="2026-03-01T00:00:00Z",
        request_id=request_id,
        workspace="default",
        deployment="default",
        status=ResponseStatus.RELEASED,
        text=text,
        requested_at="2026-03-01T00:00:00Z",
        origin=where,
    )


def dead(request_id: str, where: Origin) -> DeadLetter:
    """Return a dead letter."""
    return DeadLetter(
        event_id=event_id("letter", request_id),
        occurred_at="2026-03-01T00:00:00Z",
        reason=DeadLetterReason.UNDECODABLE,
        consumer="echo",
        request_id=request_id,
        origin=where,
        origin_appended_at="2026-03-01T00:00:00Z",
        value_bytes=3,
    )


@pytest.fixture
async def echoed(topics: Connection) -> AsyncIterator[Connection]:
    """A broker behind which everything is answered by its prompt."""
    answering = asyncio.create_task(echo(topics))
    yield topics
    answering.cancel()
    await asyncio.gather(answering, return_exceptions=True)


async def test_each_request_hears_its_own_answer(echoed: Connection) -> None:
    """Many requests at once get each their own committed answer, with the broker's time."""
    async with Client(echoed, most_waiting=8) as client:
        asked = [await client.submit(request(f"r{n}", f"prompt {n}")) for n in range(40)]
        answers = await asyncio.gather(*asked)
    texts = [a.event.text for a in answers if isinstance(a.event, ResponseReleased)]
    assert texts == [f"prompt {n}" for n in range(40)]
    assert all(answer.appended_ms > 0 for answer in answers)


async def test_a_request_that_is_set_aside_is_heard_of(echoed: Connection) -> None:
    """A dead letter ends a request as well."""
    async with Client(echoed) as client:
        answer = await client.ask(request("r1", "unreadable"))
    assert isinstance(answer.event, DeadLetter)


async def test_an_id_that_still_waits_is_refused(topics: Connection) -> None:
    """Two requests of one id could not be told apart by their answers."""
    async with Client(topics) as client:
        waiting = await client.submit(request("r1"))
        with pytest.raises(ValueError, match="'r1' still waits"):
            await client.submit(request("r1"))
        waiting.cancel()


async def test_too_many_waiting_hold_back_the_next(topics: Connection) -> None:
    """Back-pressure: the next request is sent when one that waited no longer does."""
    async with Client(topics, most_waiting=1) as client:
        first = await client.submit(request("r1"))
        second = asyncio.create_task(client.submit(request("r2")))
        await asyncio.sleep(0)
        assert not second.done()
        first.cancel()
        (await second).cancel()


async def test_a_request_of_more_than_a_megabyte_is_refused(topics: Connection) -> None:
    """The sentence says both sizes, and nothing waits."""
    async with Client(topics) as client:
        with pytest.raises(RequestTooLarge, match="1,048,576 is the most"):
            await client.submit(request("r1", "x" * REQUEST_MAX_BYTES))
        waiting = await client.submit(request("r1", "x" * (REQUEST_MAX_BYTES - 2048)))
        async with Tail(topics, [REQUESTS.name], from_start=True) as sent:
            async for record in sent.read_for_ever():
                if len(record.value or b"") > REQUEST_MAX_BYTES - 2048:
                    break
        waiting.cancel()


async def test_who_leaves_waits_no_longer(topics: Connection) -> None:
    """Leaving cancels what is still awaited."""
    async with Client(topics) as client:
        waiting = await client.submit(request("r1"))
    assert waiting.cancelled()


async def test_no_broker_is_said_at_once() -> None:
    """Without a broker entering fails, with the address."""
    connection = Connection(f"127.0.0.1:{free_port()}")
    with pytest.raises(LogUnavailable, match=connection.bootstrap):
        async with Client(connection):
            pytest.fail("there is no broker")


async def test_reading_to_the_end_ends(echoed: Connection) -> None:
    """Markers of transactions at the end of a topic do not keep a reader waiting."""
    async with Client(echoed) as client:
        await client.ask(request("r1"))
    async with Tail(echoed, [RESPONSES.name], from_start=True) as said:
        read = [decode(ResponseReleased, r.value).text async for r in said.read_to_end()]
    assert read == ["hello"]
