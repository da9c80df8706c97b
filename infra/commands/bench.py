"""``tidegate bench``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from infra.commands import with_settings

if TYPE_CHECKING:
    from infra.settings import Settings


@click.command("bench")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print it as a JSON object.")
@with_settings
def command(settings: Settings, name: str, as_json: bool) -> None:
    """Measure a part of the pipeline.

    On this machine; an unknown NAME lists what there is.
    """
    import json

    from infra.bench import run_bench

    result = run_bench(name, settings)
    if as_json:
        click.echo(json.dumps(result, indent=2))
        return
    for key, value in result.items():
        click.echo(f"{key:<40} {value}")
