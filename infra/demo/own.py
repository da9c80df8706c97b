"""A user's own prompts, sent as fast as they are answered."""

from __future__ import annotations

from pathlib import Path

from infra.demo.asking import Asking
from infra.prompts import read_requests
from streams.client import RequestTooLarge


async def ask_own(
    asking: Asking,
    file: Path,
    *,
    deployment: str,
    max_tokens: int,
    limit: int | None,
    patience_s: float,
) -> None:
    """Send one request a line of ``file`` and wait for the answers; stop early if interrupted.

    How many are in flight at once is the client's business.

    Args:
        asking: Sends them.
        file: JSON Lines, as :func:`infra.prompts.read_requests` takes them.
        deployment: Who is asked.
        max_tokens: The longest answer.
        limit: How many lines are read; all of them if None.
        patience_s: How long the last answers are waited for.

    Raises:
        ConfigError: Naming file and line, before anything is sent, if a line is no request.
        LogUnavailable: If Kafka does not answer.
    """
    progress = asking.progress
    progress.planned = sum(1 for _ in read_requests(file, deployment, max_tokens, limit))
    stretch = progress.begin("file", f"prompts of {file.name}", progress.planned)
    for request in read_requests(file, deployment, max_tokens, limit):
        if asking.interrupted.is_set():
            break
        try:
            await asking.ask(stretch, request)
        except RequestTooLarge as error:
            progress.notes.append(f"a prompt was not sent: {error}")
    await asking.settle(patience_s)
