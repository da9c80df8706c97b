"""A run's report as people read it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from infra.demo.episodes import EXPECTED, Raised
from infra.demo.figures import Figures, Quantiles
from infra.demo.ledger import KINDS, STATUSES, Ledger
from infra.demo.report import Account, Played, Report
from infra.demo.traffic import PHASES
from infra.status_table import duration

_TITLES = {phase.name: phase.title for phase in PHASES}


def print_report(console: Console, report: Report) -> None:
    """Print everything that a run came to, the verdict last."""
    console.print()
    for part in _parts(report):
        console.print(part, highlight=False)
    console.print()


def _parts(report: Report) -> Iterator[RenderableType]:
    rate = f", {report.per_s:.1f}/s as planned" if report.per_s else ""
    took = duration(report.took_s)
    yield Text(f"{report.sent:,} requests to {report.deployment} in {took}{rate}")
    if report.played:
        yield _heading("episodes")
        yield _episodes(report.played)
        yield from _others(report.played)
    yield _heading("latency")
    yield _latencies(report.figures)
    yield _heading("verdicts")
    yield _verdicts(report.figures)
    yield _heading("account")
    yield _account(report.account, report.figures)
    yield Text()
    for sentence in report.amiss:
        yield Text(f"amiss: {sentence}", "bold red")
    if report.passed:
        episodes = "every episode raised its alert, none came before; " if report.played else ""
        yield Text(f"{episodes}the account is exact.".capitalize(), "bold green")


def _heading(name: str) -> Text:
    return Text(f"\n{name}", "bold blue")


def _episodes(played: Played) -> Table:
    table = _table("episode", "requests", "alert after", "cause")
    for index in (1, 2):
        table.columns[index].justify = "right"
    sent = {stretch.name: stretch.sent for stretch in played.stretches}
    told = {episode.window.phase: episode for episode in played.judgement.episodes}
    for name in EXPECTED:
        episode = told.get(name)
        if episode is None:
            cause = Text(f"not played: {played.skipped.get(name, 'cut short')}", "dim")
            table.add_row(_TITLES[name], "", "", cause)
        elif episode.raised is None:
            table.add_row(_TITLES[name], str(sent[name]), "", Text("no alert", "bold red"))
        else:
            cause = Text.assemble(
                (episode.raised.alert.title, "bold"), f"\n{episode.raised.alert.cause}"
            )
            table.add_row(_TITLES[name], str(sent[name]), f"{episode.delay_s:.1f} s", cause)
    return table


def _others(played: Played) -> Iterator[RenderableType]:
    if played.slow_factor is not None:
        yield Text(
            f"While they were slow, answers took {played.slow_factor:.1f} times as long as in the "
            f"warm-up (median {played.usual_s:.2f} s).",
            "dim",
        )
    for when, others in (
        ("before the first episode", played.judgement.early),
        ("beside, as an episode's side effect or by chance", played.judgement.beside),
    ):
        if others:
            yield Text(f"\n{when}", "bold")
            yield _raised(others)


def _raised(alerts: tuple[Raised, ...]) -> Table:
    grid = Table.grid(padding=(0, 2))
    for one in alerts:
        said = Text.assemble((one.alert.title, "bold"), f"\n{one.alert.cause}")
        grid.add_row(Text(f"{one.appended_at.astimezone():%H:%M:%S}", "dim"), said)
    return grid


def _latencies(figures: Figures) -> Table:
    columns = ("whole", "waiting", "generating", "pipeline's own")
    table = _table("pool", "answers", "share", "tokens", *(f"{name} p50 / p99" for name in columns))
    for column in table.columns[1:]:
        column.justify = "right"
    for name, pool in figures.pools.items():
        table.add_row(
            name,
            f"{pool.answers:,}",
            f"{pool.share:.0%}",
            f"{pool.completion_tokens:,}",
            *(_pair(part) for part in (pool.whole, pool.waiting, pool.generating, pool.own)),
        )
    return table


def _pair(quantiles: Quantiles) -> str:
    return f"{quantiles.p50_s:.3f} / {quantiles.p99_s:.3f} s"


def _verdicts(figures: Figures) -> Table:
    counted: dict[tuple[str, str], Counter[str]] = {}
    for side, guard, outcome, number in figures.verdicts:
        counted.setdefault((side, guard), Counter())[outcome] += number
    outcomes = sorted({outcome for _, _, outcome, _ in figures.verdicts})
    table = _table("text", "guard", *outcomes)
    for column in table.columns[2:]:
        column.justify = "right"
    for (side, guard), said in counted.items():
        table.add_row(side, guard, *(f"{said[outcome]:,}" for outcome in outcomes))
    return table


def _account(account: Account, figures: Figures) -> Table:
    table = _table("", "Kafka", "ClickHouse", "different")
    for column in table.columns[1:]:
        column.justify = "right"
    both = (account.log, account.store)
    _count(table, "requests", both, "requests")
    _count(table, "responses", both, "responses")
    for status in STATUSES:
        if any(ledger.statuses[status] for ledger in both):
            table.add_row(f"  {status}", *(f"{ledger.statuses[status]:,}" for ledger in both), "")
    for reason, number in figures.failures.items():
        table.add_row(f"    {reason}", "", f"{number:,}", "")
    for kind in KINDS:
        if kind not in ("requests", "responses"):
            _count(table, kind.replace("_", " "), both, kind)
    table.add_row("findings", "", "", f"{figures.findings:,}")
    table.add_row("changes of alerts", "", "", f"{figures.alerts:,}")
    table.add_row("in flight", *(f"{len(ledger.in_flight):,}" for ledger in both), "")
    return table


def _count(table: Table, name: str, both: tuple[Ledger, Ledger], kind: str) -> None:
    different = f"{both[1].distinct(kind):,}"
    table.add_row(name, *(f"{ledger.rows[kind]:,}" for ledger in both), different)


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for name in columns:
        table.add_column(name)
    return table


def print_ways_on(console: Console, run: str, exemplar: str | None, running: bool) -> None:
    """Print how to go on with what the run left behind."""
    console.print("Everything is kept; go on with:", highlight=False)
    lines = [] if running else ["tidegate up"]
    lines += [
        "tidegate sql \"SELECT metadata['phase'] AS phase, status, count(), "
        f"round(avg(latency_s), 2) FROM responses WHERE startsWith(request_id, '{run}') "
        'GROUP BY ALL ORDER BY min(appended_at)"',
        'tidegate sql "SELECT fired_at, state, title, cause FROM alert_log ORDER BY occurred_at"',
    ]
    lines += [f"tidegate trace {exemplar}"] if exemplar else []
    for line in lines:
        console.print(f"  {line}", highlight=False, markup=False, soft_wrap=True)
