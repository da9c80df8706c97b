"""Fetches what the first ``up`` would fetch or convert: the broker's jars and the default model.

``make setup`` runs it as ``python -m infra.fetch``, so that nothing later needs the network.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import click

from inference.models import SHIPPED, resolve_model
from infra.jars import ensure_jars
from infra.settings_sources import load_settings
from schemas.errors import ConfigError, PipelineError


def fetch(cache: Path, say: Callable[[str], None]) -> None:
    """Put everything that outlives a data folder into ``cache``; again does nothing.

    Args:
        cache: Where jars and converted models are kept.
        say: Is told of each step, with the seconds it took.

    Raises:
        ConfigError: If something cannot be had.
    """
    started = time.perf_counter()
    jars = ensure_jars(cache)
    say(
        f"{len(jars)} jars of Apache Kafka, checksums right ({time.perf_counter() - started:.0f} s)"
    )
    for name in SHIPPED:
        started = time.perf_counter()
        folder = resolve_model(name, cache=cache)
        say(f"model {name} in {folder} ({time.perf_counter() - started:.0f} s)")


if __name__ == "__main__":
    try:
        fetch(load_settings().cache, click.echo)
    except PipelineError as error:
        click.echo(f"tidegate: {error}", err=True)
        sys.exit(2 if isinstance(error, ConfigError) else 1)
