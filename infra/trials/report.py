"""What torture came to, as a person reads it."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from infra.trials.torture import Result


def print_result(result: Result) -> None:
    """Print the blows, then each account with whether it balances."""
    console = Console(highlight=False)
    blows = Table("at", "part", "blow", "ready after", "answers after", box=None)
    for blow in result.blows:
        answers = "never" if blow.answers_s is None else f"{blow.answers_s} s"
        blows.add_row(f"{blow.at_s} s", blow.part, blow.how, f"{blow.ready_s} s", answers)
    console.print(blows)
    tables = Table("table", "rows", "events", "expected", "", box=None)
    for name, rows in result.tables.items():
        word = "right" if rows.is_right(name) else "[bold]WRONG[/]"
        tables.add_row(name, f"{rows.rows:,}", f"{rows.unique:,}", f"{rows.expected:,}", word)
    console.print(tables)
    for word, many in sorted(result.endings.items()):
        console.print(f"{many:>9,}  {word}")
    console.print(
        f"{result.requests:,} requests in {result.seconds:.0f} s: {result.lost} lost,"
        f" {result.twice} answered twice, {sum(result.otherwise.values())} otherwise than they had"
        f" to, {sum(result.repeats.values())} events repeated ({result.differing} with other"
        f" bytes), {len(result.left_over)} processes left over"
    )
    console.print("Nothing is amiss." if result.ok else "[bold]Something is amiss.[/]")
