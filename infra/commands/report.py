"""``tidegate report``."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from infra.commands import with_settings

if TYPE_CHECKING:
    from infra.settings import Settings


@click.group("report")
def command() -> None:
    """Reports of what the store holds."""


@command.command("drift")
@click.argument("deployment")
@click.option("--since", type=click.DateTime(), help="UTC; an hour before the end if not given.")
@click.option("--until", type=click.DateTime(), help="UTC; now if not given.")
@click.option(
    "--reference-since",
    type=click.DateTime(),
    help="UTC; as long before the reference's end as the current window lasts, if not given.",
)
@click.option(
    "--reference-until", type=click.DateTime(), help="UTC; where --since lies if not given."
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="An HTML file to write.",
)
@click.option("--json", "as_json", is_flag=True, help="One line of JSON.")
@with_settings
def drift(
    settings: Settings,
    deployment: str,
    since: datetime | None,
    until: datetime | None,
    reference_since: datetime | None,
    reference_until: datetime | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Compare what DEPLOYMENT answered in a window with a reference window.

    Lengths, tokens, latencies, log-probability, topic, pool, status and what each guard said, by
    evidently, which judges every column by itself: of columns that did not change, it calls some
    drifted.
    """
    import json

    from infra.reports.windows import Window, answers
    from schemas.errors import ConfigError

    end = until.replace(tzinfo=UTC) if until else datetime.now(UTC)
    current = Window(since.replace(tzinfo=UTC) if since else end - timedelta(hours=1), end)
    ends = reference_until.replace(tzinfo=UTC) if reference_until else current.since
    begins = reference_since.replace(tzinfo=UTC) if reference_since else ends - current.length
    reference = Window(begins, ends)
    try:
        from infra.reports.drift import compare
    except ImportError as error:
        raise ConfigError(
            f"a report needs evidently; pip install 'tidegate[reports]' ({error})"
        ) from error
    store = settings.store("reader")
    found = compare(
        answers(store, deployment, reference),
        answers(store, deployment, current),
    )
    if out is not None:
        found.write(out)
    if as_json:
        click.echo(json.dumps({"deployment": deployment} | found.as_json()))
    else:
        click.echo("\n".join(found.lines()))
