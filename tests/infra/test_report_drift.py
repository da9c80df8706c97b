"""A report on two windows: what it reads from the store, what it says, and whom it tells."""

from __future__ import annotations

import random
import socket
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import orjson
import pytest
from click.testing import CliRunner

from infra.commands.report import command
from infra.reports.drift import DriftReport, compare
from infra.reports.windows import CATEGORIES, NUMBERS, ROWS_MIN, Answers, Window, answers
from infra.settings import Settings
from schemas.base import Origin
from schemas.errors import ConfigError
from schemas.requests import ResponseReleased
from schemas.topics import RESPONSES, VERDICTS
from schemas.verdicts import Outcome, TextScanned
from streams.clickhouse_store import ClickHouseStore
from streams.log import Partition, Record
from streams.rows import row_of
from streams.store import StoreConnection
from tests.infra.events import record, released, scanned

AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
BEFORE, SINCE = Window(AT, AT + HOUR), Window(AT + HOUR, AT + 2 * HOUR)


def answered(window: Window, answer_chars: float = 100, status: str = "released") -> Answers:
    """Return 300 answers about so long, a tenth of them with another status."""
    rng = random.Random(str(window))
    rows = 300
    numbers: dict[str, list[float | None]] = {
        name: [rng.gauss(100, 20) for _ in range(rows)] for name in NUMBERS
    }
    numbers["answer_chars"] = [rng.gauss(answer_chars, 20) for _ in range(rows)]
    numbers["mean_logprob"] = [None] * rows
    categories: dict[str, list[str | None]] = {name: ["one"] * rows for name in CATEGORIES}
    categories["status"] = [status if rng.random() < 0.9 else "masked" for _ in range(rows)]
    return Answers(window, rows, numbers, categories)


@pytest.fixture(scope="module")
def found() -> DriftReport:
    """What is said of answers that became longer, of another status, and read by a new guard."""
    now = answered(SINCE, answer_chars=130, status="withheld")
    guarded = {**now.categories, "pii on prompt": ["pass"] * now.rows}
    return compare(answered(BEFORE), replace(now, categories=guarded))


def test_what_changed_is_called_drifted(found: DriftReport) -> None:
    """Longer answers and another status are; what is constant is not."""
    assert found.columns["answer_chars"].drifted
    assert found.columns["status"].drifted
    assert not found.columns["pool"].drifted
    assert found.columns["answer_chars"].test == "K-S p_value"
    assert found.columns["answer_chars"].value < found.columns["answer_chars"].limit == 0.05
    assert 2 / 15 <= found.drifted_share < 1
    assert found.columns["status"].test == "two-sample chi-square p_value"
    assert any(line.startswith("drifted    answer_chars") for line in found.lines())


def test_unchanged_categories_seldom_drift() -> None:
    """Of thirty columns of the same shares one or two are called drifted, and not ten."""
    rng = random.Random(0)

    def same(window: Window) -> Answers:
        usual = answered(window)
        columns = {
            f"c{n}": rng.choices("abcd", weights=(70, 20, 7, 3), k=usual.rows) for n in range(30)
        }
        return replace(usual, numbers={}, categories=columns)

    assert compare(same(BEFORE), same(SINCE)).drifted_share < 0.17


def test_what_cannot_be_compared_is_named(found: DriftReport) -> None:
    """A column of which a window knows nothing is not passed over."""
    assert found.left_out == {
        "mean_logprob": "no value in the current window",
        "pii on prompt": "no value in the reference window",
    }


def test_nobody_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """No connection is tried, telemetry is not even loaded, and the page asks for nothing."""

    def refuse(*_: object) -> None:
        pytest.fail("it tried to reach somebody")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    page = tmp_path / "page.html"
    compare(answered(BEFORE), answered(SINCE)).write(page)
    assert not {"iterative_telemetry", "evidently.telemetry"} & sys.modules.keys()
    html = page.read_text()
    assert "answer_chars" in html
    for remote in ("<script src=", "<link ", '<img src="http'):
        assert remote not in html
    assert capfd.readouterr() == ("", "")


def test_a_page_that_cannot_be_written_names_the_file(found: DriftReport, tmp_path: Path) -> None:
    """The operator is told which."""
    with pytest.raises(ConfigError, match="no such place"):
        found.write(tmp_path / "no such place" / "page.html")


def test_a_window_ends_after_it_begins() -> None:
    """An empty one is refused."""
    with pytest.raises(ConfigError, match="is empty"):
        Window(AT, AT)


def at(minute: float, topic: str, event: ResponseReleased | TextScanned, offset: int) -> Record:
    """Return the event as appended so many minutes after noon."""
    there = record(topic, event, offset=offset)
    appended = AT + timedelta(minutes=minute)
    return Record(
        Partition(topic, 1), offset, round(appended.timestamp() * 1000), b"key", there.value
    )


@pytest.fixture
def store(clickhouse: StoreConnection) -> Iterator[StoreConnection]:
    """An hour in which the guard for personal data masks, after one in which all passes."""
    tables = ClickHouseStore(clickhouse)
    responses, scans = [], []
    for number in range(4 * ROWS_MIN):
        later = number >= 2 * ROWS_MIN
        minute = (60 if later else 0) + 0.5 * (number % (2 * ROWS_MIN))
        name = f"r-{number}"
        origin = Origin(topic="llm.completions.v1", partition=0, offset=number)
        response = released().model_copy(
            update={
                "request_id": name,
                "origin": origin,
                "answer_chars": (40 if later else 20) + number % 7,
            }
        )
        responses.append(row_of(at(minute, RESPONSES.name, response, number)))
        said = Outcome.MASK if later else Outcome.PASS
        first = scanned().verdicts[0].model_copy(update={"outcome": said})
        scan = scanned().model_copy(
            update={
                "request_id": name,
                "verdicts": (first, *scanned().verdicts[1:]),
                "origin": origin,
            }
        )
        scans.append(row_of(at(minute - 0.1, VERDICTS.name, scan, number)))
    tables.insert("responses", responses, "responses")
    tables.insert("scans", scans, "scans")
    yield clickhouse
    tables.close()


@pytest.mark.clickhouse
def test_windows_are_read_from_the_store(store: StoreConnection) -> None:
    """Each has its answers, with what guards said of them; too few are refused."""
    first, second = (answers(store, "support", window) for window in (BEFORE, SINCE))
    assert first.rows == second.rows == 2 * ROWS_MIN
    assert set(first.numbers["prompt_tokens"]) == {11}
    assert set(first.categories["topic"]) == {"cards"}
    [pii] = [name for name in first.categories if name.startswith("pii on ")]
    assert set(first.categories[pii]) == {"pass"}
    assert set(second.categories[pii]) == {"mask"}
    with pytest.raises(ConfigError, match="gave 0 answers"):
        answers(store, "other", BEFORE)


@pytest.mark.clickhouse
def test_the_command_compares_with_the_window_before(
    store: StoreConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its JSON has the share that drifted and each column's test; the page is written."""
    monkeypatch.setattr(Settings, "store", lambda *_: store)
    page = tmp_path / "page.html"
    times = ["--since", "2026-11-01 13:00:00", "--until", "2026-11-01 14:00:00"]
    done = CliRunner().invoke(
        click.Group(commands={"report": command}),
        ["report", "drift", "support", *times, "--out", str(page), "--json"],
        catch_exceptions=False,
    )
    found = orjson.loads(done.stdout)
    assert found["reference"]["since"] == "2026-11-01T12:00:00+00:00"
    assert found["current"]["answers"] == 2 * ROWS_MIN
    assert found["columns"]["answer_chars"]["drifted"]
    assert not found["columns"]["ttft_s"]["drifted"]
    assert 0 < found["drifted_share"] < 0.5
    assert page.stat().st_size > 1_000_000


def test_without_evidently_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence, before the store is asked."""
    monkeypatch.setitem(sys.modules, "evidently", None)
    monkeypatch.delitem(sys.modules, "infra.reports.drift")
    with pytest.raises(ConfigError, match=r"pip install 'tidegate\[reports\]'"):
        CliRunner().invoke(
            click.Group(commands={"report": command}),
            ["report", "drift", "support"],
            catch_exceptions=False,
        )
