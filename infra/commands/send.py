"""``tidegate send``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from infra.commands import with_settings

if TYPE_CHECKING:
    from infra.settings import Settings


@click.command("send")
@click.argument("prompt", required=False)
@click.option(
    "--file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Send one request per line of a JSON Lines file.",
)
@click.option("--limit", type=click.IntRange(min=1), help="Send so many lines of the file at most.")
@click.option("--deployment", default="default", show_default=True, help="Who shall answer.")
@click.option("--max-tokens", type=click.IntRange(min=1), help="The longest answer.")
@click.option("--wait", is_flag=True, help="Wait for the answers and print them.")
@with_settings
def command(
    settings: Settings,
    prompt: str | None,
    file: Path | None,
    limit: int | None,
    deployment: str,
    max_tokens: int | None,
    wait: bool,
) -> None:
    """Put requests on Kafka; print the answers.

    PROMPT, or a file of them, goes on the request topic. Their ids are printed or, with --wait,
    their answers.

    Exit code 1 if one was not sent or its answer failed.
    """
    import asyncio

    from infra.prompts import read_requests, request_for
    from infra.sending import send

    if (prompt is None) == (file is None):
        raise click.UsageError("give either a prompt or --file")
    if file:
        requests = read_requests(file, deployment, max_tokens, limit)
    else:
        requests = iter([request_for(prompt or "", deployment, max_tokens)])
    if not asyncio.run(send(settings.connection(), requests, wait)):
        sys.exit(1)
