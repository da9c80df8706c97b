"""The page that the live view draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from infra.flow import Answered, Flow, quantile, sparkline
from infra.state import State
from infra.status_table import STYLES, duration

_BARS = 23
_ALERTS_SHOWN = 8
_STATUS_STYLES = {
    "released": "green",
    "masked": "cyan",
    "withheld": "yellow",
    "blocked": "magenta",
    "failed": "bold red",
    "set aside": "bold red",
}
_SPOKE = ("flag", "mask", "withhold", "block", "not_scanned")
_SEVERITIES = {"critical": "bold red", "warning": "yellow", "info": "blue"}


def page(flow: Flow, lags: Mapping[str, int], state: State | None, now_s: float) -> RenderableType:
    """Return the whole page.

    Args:
        flow: What has passed.
        lags: Unfinished records by role.
        state: What the supervisor says; None if it is not on this machine.
        now_s: The time, in seconds since the epoch.
    """
    return Padding(
        Group(
            _title(state, now_s),
            _heading("flow"),
            _rates(flow, now_s),
            _heading("pools"),
            _pools(flow, now_s),
            _heading("lag"),
            _lags(lags),
            _heading("guards"),
            _guards(flow),
            _heading("alerts"),
            _alerts(flow),
        ),
        (0, 1),
    )


def _title(state: State | None, now_s: float) -> RenderableType:
    parts = Text()
    for part in state.parts if state else ():
        parts.append("● ", STYLES[part.phase])
        parts.append(f"{part.name}  ", "" if part.phase == "ready" else STYLES[part.phase])
    up = duration(now_s - state.started_at.timestamp()) if state else ""
    line = Table.grid(expand=True, padding=(0, 2))
    line.add_column()
    line.add_column(justify="right")
    clock = f"{datetime.fromtimestamp(now_s).astimezone():%H:%M:%S}"
    line.add_row(
        Text.assemble(("Tidegate  ", "bold"), parts),
        Text(f"up {up}  {clock}" if up else clock, "dim"),
    )
    return line


def _heading(name: str) -> Text:
    return Text(f"\n{name}", "bold blue")


def _rates(flow: Flow, now_s: float) -> RenderableType:
    grid = Table.grid(padding=(0, 3))
    answers = flow.answers
    grid.add_row(
        _rate("requests", flow.requests.per_s(now_s), flow.requests.history(now_s)),
        _rate("answers", answers.rate.per_s(now_s), answers.rate.history(now_s)),
        _rate("tokens", answers.tokens.per_s(now_s), answers.tokens.history(now_s)),
    )
    statuses = {name: flow.statuses[name] for name in _STATUS_STYLES}
    statuses["set aside"] = flow.set_aside.total()
    counts = Text()
    for name, style in _STATUS_STYLES.items():
        counts.append(f"{statuses[name]:,} ", style if statuses[name] else "dim")
        counts.append(f"{name}   ", "dim")
    return Group(grid, Text(), counts)


def _rate(name: str, per_s: float, history: Sequence[float]) -> Text:
    return Text.assemble(
        (f"{name} ", "dim"),
        (f"{per_s:,.1f}/s\n", "bold"),
        (sparkline(history, _BARS), "green"),
    )


def _pools(flow: Flow, now_s: float) -> Table:
    table = _table("pool", "live", "waiting", "answers/s", "tokens/s", "p50", "p99", "TTFT")
    named: dict[str, Answered] = {name: flow.pools.get(name, Answered()) for name in flow.standing}
    for name, answered in {**named, **flow.pools, "all": flow.answers}.items():
        stands = flow.standing.get(name)
        table.add_row(
            name,
            _count(stands.live_workers, 1) if stands else "",
            f"{stands.waiting_requests:,}" if stands else "",
            f"{answered.rate.per_s(now_s):.1f}",
            f"{answered.tokens.per_s(now_s):.0f}",
            _seconds(quantile(answered.latencies_s, 0.5)),
            _seconds(quantile(answered.latencies_s, 0.99)),
            _seconds(quantile(answered.ttfts_s, 0.5)),
        )
    return table


def _lags(lags: Mapping[str, int]) -> Text:
    line = Text()
    for role, lag in lags.items():
        line.append(f"{role} ", "dim")
        line.append(f"{lag:,}   ", "bold" if lag else "dim")
    return line


def _guards(flow: Flow) -> RenderableType:
    table = _table("guard", "texts", *_SPOKE, "p99")
    for name, guard in sorted(flow.guards.items()):
        table.add_row(
            name,
            f"{guard.outcomes.total():,}",
            *(_spoken(guard.outcomes[outcome], outcome) for outcome in _SPOKE),
            f"{quantile(guard.latencies_ms, 0.99) or 0.0:.2f} ms",
        )
    return table if flow.guards else Text("no text has been scanned yet", "dim")


def _alerts(flow: Flow) -> RenderableType:
    grid = Table.grid(padding=(0, 2))
    for alert in list(flow.alerts.values())[-_ALERTS_SHOWN:][::-1]:
        over = alert.state == "resolved"
        said = Text(f"{alert.deployment}: {alert.title}", "dim" if over else "bold")
        if alert.cause and not over:
            said.append(f"\n{alert.cause}", "not bold")
        grid.add_row(
            Text(f"{alert.occurred_at.astimezone():%H:%M:%S}", "dim"),
            Text(alert.state, "dim" if over else _SEVERITIES[alert.severity]),
            said,
        )
    return grid if flow.alerts else Text("none", "dim")


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for index, name in enumerate(columns):
        table.add_column(name, justify="left" if index == 0 else "right", no_wrap=True)
    return table


def _count(number: int, least: int) -> Text:
    return Text(f"{number}", "" if number >= least else "bold red")


def _spoken(number: int, outcome: str) -> Text:
    loud = "bold red" if outcome == "not_scanned" else "yellow"
    return Text(f"{number:,}", loud if number else "dim")


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.2f} s"
