"""``tidegate trace``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from infra.commands import with_settings

if TYPE_CHECKING:
    from infra.settings import Settings


@click.command("trace")
@click.argument("request_id")
@click.option("--json", "as_json", is_flag=True, help="Print the stored rows, by table.")
@with_settings
def command(settings: Settings, request_id: str, as_json: bool) -> None:
    """Show the whole way of one request.

    Its times, route, verdicts and answer, and what was set aside.

    Exit code 1 if nothing is stored of it.
    """
    import json

    from rich.console import Console

    from infra.tracing import fetch, steps, tree

    rows = fetch(settings.store("reader"), request_id)
    if as_json:
        click.echo(json.dumps(rows, default=str, indent=2))
    way = steps(rows)
    if not way:
        click.echo(f"Nothing is stored of {request_id}; a new event takes a second.", err=True)
        sys.exit(1)
    if not as_json:
        Console().print(tree(request_id, way), highlight=False)
