"""``tidegate sql``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from infra.commands import with_settings

if TYPE_CHECKING:
    from infra.settings import Settings


@click.command("sql")
@click.argument("query", required=False)
@with_settings
def command(settings: Settings, query: str | None) -> None:
    """Query the store.

    Opens clickhouse-client on it, as its reader, or runs one QUERY.
    """
    from infra.sql import sql

    sys.exit(sql(settings.store("reader"), query))
