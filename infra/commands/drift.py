"""``tidegate drift``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from infra.commands import with_settings

if TYPE_CHECKING:
    from infra.settings import Settings


@click.group("drift")
def command() -> None:
    """What deployments are compared with."""


@command.command("reset")
@click.argument("deployment")
@click.option("--series", help="Only this one, such as topic or prompt_embedding.")
@click.option("--by", "author", required=True, help="Who says so.")
@click.option("--reason", required=True, help="Why, in a few words.")
@with_settings
def reset(
    settings: Settings, deployment: str, series: str | None, author: str, reason: str
) -> None:
    """Learn anew what is usual of a deployment.

    What was usual ends now; the requests that follow say what is. Until there are enough of them,
    nothing is said about drift. Each reference stands in the findings, as metric `reference`.
    """
    import asyncio

    from infra.resets import reset_reference

    asyncio.run(reset_reference(settings, deployment, series, author, reason))
