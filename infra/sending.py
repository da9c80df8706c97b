"""``send`` as its user sees it: requests go out, answers come back as they end."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import click

from schemas.deadletters import DeadLetter
from schemas.errors import PipelineError
from schemas.requests import CompletionRequested, ResponseStatus
from streams.client import Answer, Client, RequestTooLarge
from streams.log import Connection


async def send(connection: Connection, requests: Iterable[CompletionRequested], wait: bool) -> bool:
    """Put requests on their topic and print their ids or, as they come, their answers.

    Args:
        connection: How to reach Kafka.
        requests: What to ask; taken as fast as answers come.
        wait: Whether to wait for the answers.

    Returns:
        Whether every request was written and none that was waited for failed.

    Raises:
        LogUnavailable: If Kafka does not answer.
    """
    good = True
    async with Client(connection) as client, asyncio.TaskGroup() as following:
        followed = []
        for request in requests:
            try:
                answer = await client.submit(request)
            except RequestTooLarge as error:
                click.echo(f"{request.request_id}: {error}", err=True)
                good = False
                continue
            if wait:
                followed.append(following.create_task(_print_answer(request, answer)))
            else:
                click.echo(request.request_id)
                answer.cancel()
    return good and all(task.result() for task in followed)


async def _print_answer(request: CompletionRequested, answer: asyncio.Future[Answer]) -> bool:
    try:
        ended = await answer
    except PipelineError as error:
        click.echo(f"{request.request_id}: {error}", err=True)
        return False
    event = ended.event
    if isinstance(event, DeadLetter):
        click.echo(f"{request.request_id}: set aside, {event.reason}: {event.detail}", err=True)
        return False
    took_s = ended.appended_ms / 1000 - event.requested_at.timestamp()
    facts = [f"{event.request_id}: {event.status} after {took_s:.2f} s"]
    if event.pool:
        facts.append(f"{event.usage.completion_tokens} tokens by {event.pool} ({event.model})")
    if event.guards:
        facts.append(f"guards: {', '.join(event.guards)}")
    if event.failure:
        facts.append(f"{event.failure.reason}: {event.failure.detail}")
    click.secho("; ".join(facts), err=True, dim=True)
    if event.text:
        click.echo(event.text)
    return event.status is not ResponseStatus.FAILED
