"""``tidegate train``."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click


@click.group("train")
def command() -> None:
    """Train the models that ship with it."""


@command.command("bank")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--seed", default=0, show_default=True, help="The same seed, the same weights.")
def bank(folder: Path, seed: int) -> None:
    """Train the bank's small model and save it in FOLDER; takes minutes on two cores."""
    from rich.progress import Progress

    from inference.train_bank import train_bank

    with Progress() as bar:
        task = bar.add_task("training")

        def show(step: int, steps: int, loss: float) -> None:
            bar.update(task, completed=step, total=steps, description=f"loss {loss:.3f}")

        train_bank(folder, seed, show)


@command.command("pii")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--seed", default=0, show_default=True, help="The same seed, the same weights.")
def pii(folder: Path, seed: int) -> None:
    """Train the tagger of personal details and save it in FOLDER; takes a minute or two."""
    from rich.progress import Progress

    from infra.pii.train import train_tagger

    with Progress() as bar:
        task = bar.add_task("training")

        def show(step: int, steps: int, loss: float) -> None:
            bar.update(task, completed=step, total=steps, description=f"loss {loss:.3f}")

        train_tagger(folder, seed, show)


@command.command("harm")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--data",
    required=True,
    type=click.Path(path_type=Path),
    help="JSON lines of text and label (safe or unsafe); its fit half sets scale and threshold.",
)
@click.option("--seed", default=0, show_default=True, help="The same seed, the same weights.")
def harm(folder: Path, data: Path, seed: int) -> None:
    """Train the model of harmful requests and save it in FOLDER; takes minutes."""
    from inference.embeddings import Embedder
    from infra.harm.train import train_harm

    train_harm(folder, data, Embedder(kept=0).embed, seed)


@command.command("injection")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--data",
    multiple=True,
    type=click.Path(path_type=Path),
    help="JSON lines of text, label (attack or benign) and source, beside the written examples.",
)
@click.option(
    "--benign",
    multiple=True,
    type=click.Path(path_type=Path),
    help="JSON lines of text (or query, or prompt) without any attack.",
)
@click.option(
    "--part",
    type=click.Choice(["all", "fit"]),
    default="all",
    show_default=True,
    help="Fit on one half of their texts only, by a fixed hash.",
)
@click.option("--seed", default=0, show_default=True, help="The same seed, the same weights.")
def injection(
    folder: Path,
    data: tuple[Path, ...],
    benign: tuple[Path, ...],
    part: Literal["all", "fit"],
    seed: int,
) -> None:
    """Train the guard against injection and save its weights in FOLDER; takes a minute or two."""
    from infra.attacks.ship import train_injection

    model = train_injection(folder, data, benign, part, seed)
    click.echo(f"version {model.version}")


@command.command("hallucination")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--data",
    required=True,
    type=click.Path(path_type=Path),
    help="JSON lines of query, response and label (yes or no); its fit half is fitted on.",
)
def hallucination(folder: Path, data: Path) -> None:
    """Train the model of made-up answers and save it in FOLDER; takes seconds."""
    from infra.hallucination.train import train_hallucination

    train_hallucination(folder, data)


@command.command("groundedness")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--seed", default=0, show_default=True, help="The same seed, the same weights.")
def groundedness(folder: Path, seed: int) -> None:
    """Train the model that holds answers against passages and save it in FOLDER; takes minutes."""
    from inference.embeddings import Embedder
    from infra.groundedness.train import train_groundedness

    train_groundedness(folder, Embedder().embed, seed)
