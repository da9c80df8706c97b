"""``tidegate spec``."""

from __future__ import annotations

import click


@click.command("spec")
def command() -> None:
    """Print the AsyncAPI document.

    It says what crosses Kafka, as AsyncAPI 3 with JSON Schema and examples.
    """
    import json

    from schemas.spec import document

    click.echo(json.dumps(document(), indent=2))
