"""A client of the pipeline: put requests on Kafka and hear how each of them ended."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from aiokafka import AIOKafkaProducer

from schemas.codec import decode, encode, peek
from schemas.deadletters import DeadLetter
from schemas.errors import LogUnavailable, PipelineError, PoisonError
from schemas.requests import CompletionRequested, ResponseReleased
from schemas.topics import DEADLETTER, REQUEST_MAX_BYTES, REQUESTS, RESPONSES
from streams.kafka_errors import translated
from streams.kafka_log import client_options
from streams.log import Connection, Record
from streams.tail import Tail

_OVERHEAD_BYTES = 1024
"""What a record takes besides its key and value, generously."""


class RequestTooLarge(PoisonError):
    """The request does not fit the request topic."""


@dataclass(frozen=True, slots=True)
class Answer:
    """How a request ended.

    Args:
        event: The response; a dead letter if the request was set aside instead.
        appended_ms: The broker's time of it, in milliseconds.
    """

    event: ResponseReleased | DeadLetter
    appended_ms: int


class Client:
    """Sends requests and tells how each ended; an asynchronous context manager.

    It reads what ends after it was entered, committed records alone, in no consumer group, so that
    any number of clients do not disturb each other. A broker that is away is waited for.

    Args:
        connection: How to reach Kafka.
        most_waiting: Requests without an answer at which :meth:`submit` waits.
    """

    def __init__(self, connection: Connection, most_waiting: int = 1000) -> None:
        self._options = client_options(connection)
        self._tail = Tail(connection, (RESPONSES.name, DEADLETTER.name), from_start=False)
        self._slots = asyncio.Semaphore(most_waiting)
        self._waiting: dict[str, asyncio.Future[Answer]] = {}
        self._listening: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Client:
        """Connect.

        Raises:
            LogUnavailable: If Kafka does not answer.
            ConfigError: If it refuses us, or has no topics.
        """
        await self._tail.__aenter__()
        self._producer = AIOKafkaProducer(
            **self._options,
            acks="all",
            enable_idempotence=True,
            linger_ms=5,
            max_request_size=REQUEST_MAX_BYTES,
        )
        try:
            with translated():
                await self._producer.start()
        except PipelineError:
            await self._disconnect()
            raise
        self._listening = asyncio.create_task(self._listen())
        self._listening.add_done_callback(self._deaf)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Send what is on its way and disconnect; whoever still waits is cancelled."""
        if self._listening:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
        await self._disconnect()
        for waiting in list(self._waiting.values()):
            waiting.cancel()

    async def submit(self, request: CompletionRequested) -> asyncio.Future[Answer]:
        """Put ``request`` on its topic and return the future of its answer.

        The future raises LogUnavailable if the request could not be written. Cancel it to wait no
        longer; the request itself goes its way.

        Raises:
            RequestTooLarge: If the request does not fit the topic.
            ValueError: If a request of this id still waits for its answer.
        """
        key, value = request.key.encode(), encode(request)
        if len(key) + len(value) + _OVERHEAD_BYTES > REQUEST_MAX_BYTES:
            raise RequestTooLarge(
                f"the request has {len(value):,} bytes; {REQUEST_MAX_BYTES:,} is the most"
            )
        if request.request_id in self._waiting:
            raise ValueError(f"a request {request.request_id!r} still waits for its answer")
        await self._slots.acquire()
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[request.request_id] = answer
        answer.add_done_callback(lambda _: self._forget(request.request_id))
        with translated():
            sent = await self._producer.send(REQUESTS.name, value=value, key=key)
        sent.add_done_callback(lambda done: _pass_on_failure(done, answer))
        return answer

    async def ask(self, request: CompletionRequested) -> Answer:
        """Put ``request`` on its topic and wait for its answer.

        Raises:
            LogUnavailable: If the request could not be written.
            RequestTooLarge: If the request does not fit the topic.
            ValueError: If a request of this id still waits for its answer.
        """
        return await (await self.submit(request))

    def _forget(self, request_id: str) -> None:
        self._waiting.pop(request_id, None)
        self._slots.release()

    async def _listen(self) -> None:
        async for record in self._tail.read_for_ever():
            self._hear(record)

    def _hear(self, record: Record) -> None:
        answer = self._waiting.get(str(peek(record.value).get("request_id")))
        if answer is None or answer.done():
            return
        try:
            event = _read(record)
        except PoisonError as error:
            answer.set_exception(error)
            return
        if event:
            answer.set_result(Answer(event, record.timestamp_ms))

    def _deaf(self, listening: asyncio.Task[None]) -> None:
        if not listening.cancelled() and (error := listening.exception()):
            for answer in list(self._waiting.values()):
                answer.set_exception(error)

    async def _disconnect(self) -> None:
        await self._producer.stop()
        await self._tail.__aexit__()


def _read(record: Record) -> ResponseReleased | DeadLetter | None:
    """Return how a request ended, if that is what the record says."""
    if record.partition.topic == RESPONSES.name:
        return decode(ResponseReleased, record.value)
    letter = decode(DeadLetter, record.value)
    return letter if letter.origin.topic == REQUESTS.name else None


def _pass_on_failure(sent: asyncio.Future[Any], answer: asyncio.Future[Answer]) -> None:
    if not answer.done() and not sent.cancelled() and (error := sent.exception()):
        failure = LogUnavailable(f"the request was not written: {type(error).__name__}")
        failure.__cause__ = error
        answer.set_exception(failure)
