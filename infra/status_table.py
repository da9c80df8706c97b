"""How the parts of the system stand, as a table, as lines and as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Protocol

from rich.console import Console
from rich.live import Live
from rich.table import Table

from infra.memory import memory_bytes
from infra.state import PartState, Phase, State

STYLES = {
    Phase.WAITING: "dim",
    Phase.PREPARING: "yellow",
    Phase.STARTING: "yellow",
    Phase.READY: "green",
    Phase.BACKOFF: "bold red",
    Phase.DRAINING: "cyan",
    Phase.STOPPED: "dim",
    Phase.FAILED: "bold red",
}


def parts_table(state: State, memory: Mapping[str, int] | None = None) -> Table:
    """Return one row per part: where it stands, since when, how often it was started again.

    Args:
        state: What the supervisor says.
        memory: The bytes that each part takes, if they are to be shown.
    """
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("part", min_width=14)
    table.add_column("state", min_width=10)
    table.add_column("for", justify="right", min_width=6)
    table.add_column("restarts", justify="right")
    table.add_column("pid", justify="right")
    if memory is not None:
        table.add_column("memory", justify="right")
    now = datetime.now(UTC)
    for part in state.parts:
        row = [
            part.name,
            f"[{STYLES[part.phase]}]{part.phase}[/]",
            duration((now - part.since_at).total_seconds()),
            str(part.restarts or ""),
            str(part.pid or ""),
        ]
        if memory is not None:
            row.append(f"{memory.get(part.name, 0) / 1e6:,.0f} MB")
        row.append(f"[dim]{part.detail}[/]")
        table.add_row(*row)
    return table


def print_status(state: State, as_json: bool) -> bool:
    """Print how the parts stand and what memory they take; return whether all are ready."""
    memory = memory_bytes(state)
    if as_json:
        print(json.dumps({**state.model_dump(mode="json"), "memory_bytes": memory}, indent=2))
    else:
        console = Console()
        console.print(parts_table(state, memory))
        total_mb, own_mb = sum(memory.values()) / 1e6, memory["supervisor"] / 1e6
        said = f"{state.phase}; {total_mb:,.0f} MB in all, {own_mb:,.0f} of it the supervisor"
        console.print(said, highlight=False)
    return state.phase is Phase.READY and all(p.phase is Phase.READY for p in state.parts)


def duration(seconds: float) -> str:
    """Return a time span in its two largest units at most.

    >>> duration(4.24), duration(75), duration(7300)
    ('4 s', '1 min 15 s', '2 h 1 min')
    """
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


class Display(Protocol):
    """Shows state after state while something is waited for."""

    def __enter__(self) -> Display:
        """Begin to show."""
        ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop showing; what was shown stays."""
        ...

    def show(self, state: State) -> None:
        """Show a state."""
        ...


class Rows:
    """Redraws the table of parts in place, on a terminal."""

    def __init__(self, console: Console) -> None:
        self._live = Live(console=console, auto_refresh=False)

    def __enter__(self) -> Rows:
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.stop()

    def show(self, state: State) -> None:
        """Draw the table anew."""
        self._live.update(parts_table(state), refresh=True)


class Lines:
    """Writes a line for every change since the state ``known``, where there is no terminal."""

    def __init__(self, console: Console, known: State | None) -> None:
        self._console = console
        self._told = {p.name: (p.phase, p.restarts) for p in (known.parts if known else ())}

    def __enter__(self) -> Lines:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return

    def show(self, state: State) -> None:
        """Write what has changed since the last time."""
        for part in state.parts:
            now = (part.phase, part.restarts)
            if self._told.get(part.name, (Phase.WAITING, 0)) != now:
                self._told[part.name] = now
                self._console.print(_line(state, part), highlight=False, soft_wrap=True)


def _line(state: State, part: PartState) -> str:
    after_s = (part.since_at - state.started_at).total_seconds()
    words = f"{after_s:7.1f} s  {part.name:<16} {part.phase}"
    return f"{words}: {part.detail}" if part.detail else words


def display(console: Console, known: State | None = None) -> Display:
    """Return what suits the console, for an operator who knows the state ``known`` already."""
    return Rows(console) if console.is_terminal else Lines(console, known)
