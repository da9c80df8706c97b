"""``tidegate demo``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from infra.commands import with_settings

if TYPE_CHECKING:
    from infra.settings import Settings


@click.command("demo")
@click.option(
    "--file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Send your own prompts, one JSON object a line, instead of the bank's.",
)
@click.option("--limit", type=click.IntRange(min=1), help="Read so many lines of it at most.")
@click.option(
    "--max-tokens",
    type=click.IntRange(min=1),
    default=32,
    show_default=True,
    help="The longest answer.",
)
@click.option(
    "--requests",
    type=click.IntRange(min=400),
    default=1000,
    show_default=True,
    help="The bank's requests; a slow machine gets fewer.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Same seed, same customers.")
@click.option("--keep", is_flag=True, help="Let a system go on that was started for it.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as a JSON object, too.")
@with_settings
def command(
    settings: Settings,
    file: Path | None,
    limit: int | None,
    max_tokens: int,
    requests: int,
    seed: int,
    keep: bool,
    as_json: bool,
) -> None:
    """Run a bank's traffic, with planned mishaps.

    Each mishap must raise the alert that names its cause, none may come before the first, and every
    request must end, once. With --file only the last of these.

    Starts the system if it does not run. Exit code 1 if an alert or a request is missing.
    """
    from infra.demo.run import Options, run_demo

    if limit is not None and file is None:
        raise click.UsageError("--limit is for --file; the bank's requests have --requests")
    options = Options(
        file=file,
        limit=limit,
        max_tokens=max_tokens,
        requests=requests,
        seed=seed,
        keep=keep,
        as_json=as_json,
    )
    if not run_demo(settings, options):
        sys.exit(1)
