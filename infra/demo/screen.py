"""Shows a run while it lasts: a page on a terminal, lines anywhere else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from infra.demo.progress import Progress
from infra.status_table import duration

_DRAW_EVERY_S = 0.25
_LINE_EVERY_S = 10.0
_ALERTS_SHOWN = 6
_STATUS_STYLES = {"released": "green", "masked": "cyan", "withheld": "yellow", "blocked": "magenta"}


class Screen(Protocol):
    """Shows how a run stands."""

    def show(self, progress: Progress) -> None:
        """Show it as it is now."""
        ...

    def close(self) -> None:
        """Stop showing; what was shown stays."""
        ...


class Page:
    """Redraws one page in place."""

    def __init__(self, console: Console) -> None:
        self._live = Live(console=console, auto_refresh=False)
        self._live.start()

    def show(self, progress: Progress) -> None:
        """Draw the page."""
        self._live.update(page(progress), refresh=True)

    def close(self) -> None:
        """Leave the page as it is."""
        self._live.stop()


class Lines:
    """Prints what is new, and every ten seconds how it stands."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._begun = self._raised = self._resolved = self._noted = 0
        self._stood_s = 0.0

    def show(self, progress: Progress) -> None:
        """Print what came since the last time."""
        for stretch in progress.stretches[self._begun :]:
            self._print(progress, f"{stretch.title}: {stretch.planned} requests")
            self._stood_s = progress.elapsed_s
        for raised in progress.raised[self._raised :]:
            self._print(progress, f"ALERT {raised.alert.title}: {raised.alert.cause}")
        for raised in progress.resolved[self._resolved :]:
            self._print(progress, f"resolved: {raised.alert.title}")
        for note in progress.notes[self._noted :]:
            self._print(progress, note)
        self._begun, self._raised = len(progress.stretches), len(progress.raised)
        self._resolved, self._noted = len(progress.resolved), len(progress.notes)
        if progress.elapsed_s > self._stood_s + _LINE_EVERY_S:
            self._stood_s = progress.elapsed_s
            self._print(progress, _standing(progress))

    def close(self) -> None:
        """Nothing is left to do."""

    def _print(self, progress: Progress, line: str) -> None:
        self._console.print(
            f"{progress.elapsed_s:6.1f} s  {line}", highlight=False, markup=False, soft_wrap=True
        )


@asynccontextmanager
async def shown(console: Console, progress: Progress) -> AsyncIterator[None]:
    """Show ``progress`` as it goes, inside the block."""
    screen: Screen = Page(console) if console.is_terminal else Lines(console)

    async def draw() -> None:
        while True:
            screen.show(progress)
            await asyncio.sleep(_DRAW_EVERY_S)

    drawing = asyncio.create_task(draw())
    try:
        yield
    finally:
        drawing.cancel()
        await asyncio.gather(drawing, return_exceptions=True)
        screen.show(progress)
        screen.close()


def page(progress: Progress) -> RenderableType:
    """Return the page for a terminal."""
    stretch = progress.stretches[-1] if progress.stretches else None
    head = Table.grid(padding=(0, 2))
    head.add_row(
        Text(stretch.title if stretch else "connecting", "bold"),
        ProgressBar(total=progress.planned, completed=progress.answered, width=40),
        Text(f"{progress.answered:,} of {progress.planned:,}"),
        Text(duration(progress.elapsed_s), "dim"),
    )
    return Group(head, _counts(progress), *_alerts(progress), *_notes(progress))


def _standing(progress: Progress) -> str:
    recent = progress.stretches[-1].median_s if progress.stretches else 0.0
    statuses = ", ".join(f"{count:,} {status}" for status, count in progress.statuses.most_common())
    return (
        f"{progress.answered:,} of {progress.sent:,} answered, {progress.rate_per_s:.1f}/s, "
        f"median {recent:.2f} s; {statuses}"
    )


def _counts(progress: Progress) -> Text:
    line = Text()
    line.append(f"{progress.sent - progress.answered:,} ", "bold").append("in flight   ", "dim")
    line.append(f"{progress.rate_per_s:.1f}/s ", "bold").append("answered   ", "dim")
    if progress.stretches:
        line.append(f"{progress.stretches[-1].median_s:.2f} s ", "bold").append("median   ", "dim")
    for status, number in sorted(progress.statuses.items()):
        line.append(f"{number:,} ", _STATUS_STYLES.get(status, "bold red"))
        line.append(f"{status}   ", "dim")
    return line


def _alerts(progress: Progress) -> list[RenderableType]:
    grid = Table.grid(padding=(0, 2))
    resolved = {one.alert.alert_id: one.appended_at for one in progress.resolved}
    for one in progress.raised[-_ALERTS_SHOWN:]:
        over_at = resolved.get(one.alert.alert_id)
        over = over_at is not None and over_at >= one.appended_at
        grid.add_row(
            Text(f"{one.appended_at.astimezone():%H:%M:%S}", "dim"),
            Text("resolved" if over else "firing", "green" if over else "bold yellow"),
            Text.assemble((one.alert.title, "bold"), f"\n{one.alert.cause}"),
        )
    return [Text(), grid] if progress.raised else []


def _notes(progress: Progress) -> list[RenderableType]:
    return [Text(note, "dim") for note in progress.notes[-3:]]
