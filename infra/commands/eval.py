"""``tidegate eval``."""

from __future__ import annotations

import click


@click.group("eval")
def command() -> None:
    """Judge guards and monitors on your own data.

    Every task prints one object with sample sizes and intervals.
    """
