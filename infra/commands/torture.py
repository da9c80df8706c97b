"""``tidegate torture``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from infra.commands import with_settings

if TYPE_CHECKING:
    from infra.settings import Settings


@click.command("torture")
@click.option(
    "--times", type=click.IntRange(min=1), default=3, show_default=True, help="Kills of each part."
)
@click.option("--only", multiple=True, help="Strike this part alone; may be given several times.")
@click.option(
    "--least",
    type=click.FloatRange(min=1),
    default=60,
    show_default=True,
    help="Requests a second, at least.",
)
@click.option(
    "--most",
    type=click.FloatRange(min=1),
    default=150,
    show_default=True,
    help="Requests a second, at most.",
)
@click.option(
    "--seed", default=0, show_default=True, help="Decides the requests, the order and the pauses."
)
@click.option(
    "--keep-logs",
    is_flag=True,
    help="Keep the system's logs, below the folder for temporary files.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as a JSON object.")
@with_settings
def command(
    settings: Settings,
    times: int,
    only: tuple[str, ...],
    least: float,
    most: float,
    seed: int,
    keep_logs: bool,
    as_json: bool,
) -> None:
    """Kill and stop every part under load, and count.

    On a system of its own, with an engine that answers from a script: nothing may be lost, answered
    or stored twice, or left running. Takes about ten minutes.

    Exit code 1 if something was.
    """
    from infra.trials.report import print_result
    from infra.trials.torture import PARTS, all_blows, run_torture
    from schemas.errors import ConfigError

    if unknown := set(only) - set(PARTS):
        raise ConfigError(f"no part {min(unknown)!r}; there are: {', '.join(PARTS)}", key="--only")
    blows = [blow for blow in all_blows(times, seed) if not only or blow.part in only]
    result = run_torture(settings.cache, blows, (least, max(least, most)), seed, keep_logs)
    if as_json:
        click.echo(result.model_dump_json(indent=2))
    else:
        print_result(result)
    if not result.ok:
        sys.exit(1)
