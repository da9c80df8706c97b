"""``tidegate eval``."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import click

from infra.commands import with_settings

if TYPE_CHECKING:
    from infra.eval.drift.pools import Part
    from infra.settings import Settings


Command = TypeVar("Command", bound=Callable[..., object])

_json = click.option("--json", "as_json", is_flag=True, help="One line of JSON.")
_picture = click.option("--picture", type=click.Path(path_type=Path), help="An SVG to draw.")


def _data(rows: str) -> Callable[[Command], Command]:
    """Return the option of a task that needs data, which holds ``rows``."""
    return click.option("--data", required=True, type=click.Path(path_type=Path), help=rows)


def _part(help_line: str) -> Callable[[Command], Command]:
    """Return the option of a task that may judge on a half of its data."""
    halves = click.Choice(["all", "fit", "report"])
    return click.option("--part", type=halves, default="all", show_default=True, help=help_line)


def _print(found: dict[str, Any], as_json: bool) -> None:
    click.echo(json.dumps(found, indent=None if as_json else 2))


@click.group("eval")
def command() -> None:
    """Judge guards and monitors on your own data.

    Every task prints one object with sample sizes and intervals.
    """


@command.command("pii")
@_data("JSON lines of text, spans (type, start, end) and template.")
@_part("Judge on one half of the templates only, by a fixed hash.")
@click.option("--beside", is_flag=True, help="Judge presidio in the same run.")
@_json
def pii(data: Path, part: str, beside: bool, as_json: bool) -> None:
    """Judge how well personal data is found."""
    from infra.eval.pii import evaluate

    _print(evaluate(data, part, beside), as_json)


@command.command("outofscope")
@_data("JSON lines of text, label (a topic, or oos) and split.")
@click.option(
    "--reference",
    required=True,
    type=click.Path(path_type=Path),
    help="Rows of the same shape; those in scope (split train, if there is one) are the examples.",
)
@_picture
@_json
def outofscope(data: Path, reference: Path, picture: Path | None, as_json: bool) -> None:
    """Judge how well requests outside the scope are found."""
    from infra.eval.outofscope import evaluate

    _print(evaluate(data, reference, picture), as_json)


@command.command("leaks")
@click.option("--requests", "many", default=2000, show_default=True, help="Requests to send.")
@click.option("--seed", default=0, show_default=True, help="Decides what is planted.")
@_json
@with_settings
def leaks(settings: Settings, many: int, seed: int, as_json: bool) -> None:
    """Plant personal data and search for it in all topics, tables and logs.

    On a system of its own, with an engine that answers from a script. Exit code 1 if a value with a
    form of its own is found outside the request topic and restored responses.
    """
    from infra.eval.leaks import evaluate

    found = evaluate(settings.cache, many, seed)
    _print(found, as_json)
    if not found["ok"]:
        sys.exit(1)


@command.command("bias")
@_data("JSON lines of BBQ's questions with a model's prediction, or a folder with them.")
@_json
def bias(data: Path, as_json: bool) -> None:
    """Judge how far answers lean on stereotypes: BBQ's bias scores by category."""
    from infra.eval.bias import evaluate

    _print(evaluate(data), as_json)


@command.command("intervals")
@click.option("--simulations", type=click.IntRange(min=1), default=1000, show_default=True)
@click.option(
    "--looks", type=click.IntRange(min=100), default=5000, show_default=True, help="Of each stream."
)
@_json
def intervals(simulations: int, looks: int, as_json: bool) -> None:
    """Count how often intervals that are looked at all the time are ever wrong."""
    from infra.eval.looking import evaluate

    _print(evaluate(simulations, looks), as_json)


@command.command("rootcause")
@click.option("--changes", "many", default=200, show_default=True, help="Changes to plant.")
@click.option("--seed", default=0, show_default=True, help="Decides them.")
@_json
def rootcause(many: int, seed: int, as_json: bool) -> None:
    """Plant changes of one segment among ten dimensions and count how often it is named.

    Beside Adtributor and the largest change.
    """
    from infra.eval.rootcause import evaluate

    _print(evaluate(many, seed), as_json)


@command.command("robustness")
@click.option("--guard", required=True, help="The learned guard to attack.")
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="Rows as the guard's own evaluation reads them; texts of our own if not given.",
)
@_part("Attack one half of the data only, by a fixed hash.")
@click.option(
    "--samples", default=200, show_default=True, type=click.IntRange(min=1), help="Texts to attack."
)
@click.option("--texts-only", is_flag=True, help="Leave the model's features alone.")
@click.option("--record", is_flag=True, help="Have the running system store and watch the figures.")
@_json
@with_settings
def robustness(
    settings: Settings,
    guard: str,
    data: Path | None,
    part: Literal["all", "fit", "report"],
    samples: int,
    texts_only: bool,
    record: bool,
    as_json: bool,
) -> None:
    """Attack a learned guard and count what it still finds.

    Texts are changed by characters, by words and by paraphrase; then the features that its model
    sees are moved by the Adversarial Robustness Toolbox.
    """
    import asyncio
    from datetime import UTC, datetime

    from infra.eval.robustness import evaluate
    from streams.evaluations import record as write

    found = evaluate(guard, data, part, samples, texts_only)
    if record:
        asyncio.run(write(settings.connection(), found.events(datetime.now(UTC))))
    click.echo(json.dumps(found.as_json(), indent=None if as_json else 2))


@command.command("quality")
@click.option(
    "--data",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder with banking77.jsonl and clinc150.jsonl: JSON lines of text and label.",
)
@click.option(
    "--streams", type=click.IntRange(min=1), default=20, show_default=True, help="Of each shift."
)
@_json
def quality(data: Path, streams: int, as_json: bool) -> None:
    """Judge estimates of a model's accuracy that need no labels, under planted shifts."""
    from infra.eval.quality import evaluate

    _print(evaluate(data, streams), as_json)


@command.command("harm")
@_data("JSON lines of text, label (safe or unsafe) and type.")
@_part("Judge on one half of the texts only, by a fixed hash.")
@_picture
@_json
def harm(data: Path, part: str, picture: Path | None, as_json: bool) -> None:
    """Judge how well requests that do harm are told from those that only sound like it."""
    from inference.embeddings import Embedder
    from infra.eval.harm import evaluate

    found = evaluate(data, Embedder(kept=0).embed, part, picture)
    _print(found, as_json)


@command.command("hallucination")
@_data("JSON lines of query, response and label (yes if it is made up).")
@_part("Judge on one half of the questions only, by a fixed hash.")
@_picture
@_json
def hallucination(data: Path, part: str, picture: Path | None, as_json: bool) -> None:
    """Judge how well made-up answers are told from others."""
    from infra.eval.hallucination import evaluate

    found = evaluate(data, part, picture)
    _print(found, as_json)


@command.command("drift")
@_data("A folder with banking77.jsonl and clinc150.jsonl: JSON lines of text and label.")
@click.option(
    "--arl",
    type=click.FloatRange(min=50),
    default=500,
    show_default=True,
    help="Events between false alarms, on average, that detectors are calibrated to.",
)
@click.option(
    "--streams",
    type=click.IntRange(min=4),
    default=400,
    show_default=True,
    help="Of each kind of drift, and without any.",
)
@click.option(
    "--sticky",
    type=click.FloatRange(0, 0.95),
    default=0.0,
    show_default=True,
    help="The chance that the next event keeps the intent of the one before.",
)
@click.option(
    "--part",
    type=click.Choice(["fit", "report"]),
    default="report",
    show_default=True,
    help="The half of the texts for streams, by a fixed hash; references are from the other.",
)
@click.option("--beside", is_flag=True, help="Judge other detectors in the same run, at ARL 500.")
@_json
@with_settings
def drift(
    settings: Settings,
    data: Path,
    arl: float,
    streams: int,
    sticky: float,
    part: Part,
    beside: bool,
    as_json: bool,
) -> None:
    """Judge how rarely drift of embeddings is seen without any, and how soon with it."""
    # Matrices here are small: a second thread of numpy's would mostly wait, at full speed.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from infra.eval.drift.beside import judge_others
    from infra.eval.drift.evaluate import evaluate
    from infra.progress import shown

    with shown() as show:
        found, pools = evaluate(
            data, settings.cache, show, arl=arl, streams=streams, sticky=sticky, part=part
        )
        if beside:
            found["beside"] = judge_others(pools, show)
    _print(found, as_json)


@command.command("falsealarms")
@click.option("--segments", type=click.IntRange(min=20), default=1_000, show_default=True)
@click.option("--days", type=click.IntRange(min=1), default=5, show_default=True, help="Each kind.")
@click.option("--seed", default=0, show_default=True, help="Decides everything.")
@_json
def falsealarms(segments: int, days: int, seed: int, as_json: bool) -> None:
    """Count false alarms of simulated days, with one budget for all segments and without.

    And what the budget costs in power and delay where some segments change.
    """
    from infra.eval.falsealarms import evaluate

    _print(evaluate(segments, days, seed), as_json)


@command.command("injection")
@click.option(
    "--data",
    required=True,
    multiple=True,
    type=click.Path(path_type=Path),
    help="JSON lines of text, label (attack or benign) and maybe source.",
)
@click.option(
    "--benign",
    multiple=True,
    type=click.Path(path_type=Path),
    help="JSON lines of text (or query, or prompt) without any attack; each file is a source.",
)
@_part("Judge the shipped weights on one half of the texts only, by a fixed hash.")
@click.option(
    "--leave-source-out",
    is_flag=True,
    help="Also fit on the fit half without each source in turn, and judge on the report half.",
)
@click.option("--beside", is_flag=True, help="Fit character n-grams in the same way beside.")
@_picture
@_json
def injection(
    data: tuple[Path, ...],
    benign: tuple[Path, ...],
    part: Literal["all", "fit", "report"],
    leave_source_out: bool,
    beside: bool,
    picture: Path | None,
    as_json: bool,
) -> None:
    """Judge how well attacks on the model are told from harmless texts."""
    from infra.eval.injection import evaluate

    found = evaluate(data, benign, part, leave_source_out, beside, picture)
    _print(found, as_json)
