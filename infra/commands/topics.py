"""``tidegate topics``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from infra.commands import with_settings

if TYPE_CHECKING:
    from infra.settings import Settings


@click.group("topics")
def command() -> None:
    """The topics on Kafka."""


@command.command("apply")
@click.option("--grow", is_flag=True, help="Give existing topics the partitions they lack.")
@with_settings
def apply_topics(settings: Settings, grow: bool) -> None:
    """Make missing topics, and mend the settings of those that differ.

    More partitions move a topic's keys to others and break their order for a while; so that takes
    --grow.
    """
    import asyncio

    from infra.topics import apply
    from schemas.registry import load_registry

    pools = list(load_registry(settings.registry).pools())
    layout = settings.topic_layout(pools)
    done = asyncio.run(apply(settings.connection(), pools, layout, grow))
    for topic in done.created:
        click.echo(f"made     {topic}")
    for topic in done.altered:
        click.echo(f"altered  {topic}")
    for topic, count in done.fewer.items():
        click.echo(f"has only {count} partitions: {topic}; --grow adds some")
    if not (done.created or done.altered or done.fewer):
        click.echo("Every topic is as it should be.")
