"""The whole demo: a system, traffic, the account, and what to do next."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from rich.console import Console

from infra.datafolder import DataFolder
from infra.demo.accounting import account
from infra.demo.asking import Asking, interruptible
from infra.demo.bank import Bank
from infra.demo.counting import ends
from infra.demo.figures import figures
from infra.demo.following import following
from infra.demo.own import ask_own
from infra.demo.progress import Progress
from infra.demo.report import Played, Report
from infra.demo.screen import shown
from infra.demo.slowing import worker_sessions
from infra.demo.summary import print_report, print_ways_on
from infra.demo.system import Target, system
from infra.demo.traffic import SPAN_S
from infra.settings import Settings
from streams.client import Client

_OWN_AT_ONCE = 64
"""How many of a user's own prompts are in flight at most."""
_BANK_AT_ONCE = 512
_FILE_COLUMNS = 160
_PAST_DEADLINE_S = 30.0


@dataclass(frozen=True)
class Options:
    """What the user wants.

    Attributes:
        file: The user's own prompts, instead of the bank's customers.
        limit: How many lines of it are read.
        max_tokens: The longest answer.
        requests: How many requests the bank gets, if the system can take them.
        seed: The same seed, the same customers.
        keep: Whether a system that was started for it goes on afterwards.
        as_json: Whether the report is printed as JSON, too; all else then goes to standard error.
        span_s: How long the bank's traffic is to last.
    """

    file: Path | None = None
    limit: int | None = None
    max_tokens: int = 32
    requests: int = 1000
    seed: int = 0
    keep: bool = False
    as_json: bool = False
    span_s: float = SPAN_S


def run_demo(settings: Settings, options: Options) -> bool:
    """Run the demo, print its report, and return whether all is as it must be.

    Raises:
        ConfigError: If the system cannot be started, or a line of the file is no request.
        PipelineError: If a part of it does not answer.
    """
    console = Console(stderr=options.as_json)
    if not console.is_terminal:
        console.width = _FILE_COLUMNS
    with system(settings, console, options.keep) as target:
        report = asyncio.run(_run(settings, target, options, console))
        print_report(console, report)
    print_ways_on(console, report.run, _exemplar(report.played), target.stays)
    if options.as_json:
        json.dump(report.as_dict(), sys.stdout, indent=2)
        print()
    return report.passed


async def _run(settings: Settings, target: Target, options: Options, console: Console) -> Report:
    connection, deployment = settings.connection(), target.deployment.name
    run = f"demo-{uuid4().hex[:8]}-"
    progress = Progress(options.requests)
    at_once = _OWN_AT_ONCE if options.file else _BANK_AT_ONCE
    patience_s = settings.gate.request_deadline_s + _PAST_DEADLINE_S
    since, began_at, began_s = await ends(connection, target.pools), datetime.now(UTC), _now_s()
    played: Played | None = None
    per_s: float | None = None
    with interruptible() as interrupted:
        async with (
            Client(connection, most_waiting=at_once) as client,
            following(connection, progress),
            shown(console, progress),
        ):
            asking = Asking(client, progress, interrupted, run)
            if options.file:
                await ask_own(
                    asking,
                    options.file,
                    deployment=deployment,
                    max_tokens=options.max_tokens,
                    limit=options.limit,
                    patience_s=patience_s,
                )
            else:
                bank = Bank(
                    asking,
                    deployment=deployment,
                    max_tokens=options.max_tokens,
                    wanted=options.requests,
                    seed=options.seed,
                    span_s=options.span_s,
                    workers=lambda: worker_sessions(DataFolder(settings.data)),
                    patience_s=patience_s,
                )
                played = await bank.play()
                per_s = bank.pace.per_s if bank.pace else None
        took_s = _now_s() - began_s
        console.print("Counting.", highlight=False)
        began_ms = int(began_at.timestamp() * 1000)
        counted = await account(settings, target, since, began_ms, run, progress.sent)
        measured = await asyncio.to_thread(figures, settings.store("reader"), began_ms, run)
        return Report(
            run=run,
            deployment=deployment,
            sent=progress.sent,
            began_at=began_at,
            took_s=took_s,
            per_s=per_s,
            account=counted,
            figures=measured,
            played=played,
            interrupted=interrupted.is_set(),
        )


def _now_s() -> float:
    return time.monotonic()


def _exemplar(played: Played | None) -> str | None:
    """Return a request that shows one of the episodes."""
    episodes = played.judgement.episodes if played else ()
    shown = [e.raised.alert.exemplars for e in episodes if e.raised and e.raised.alert.exemplars]
    return shown[0][0] if shown else None
