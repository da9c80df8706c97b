"""The dashboards ask the store for what it has, as the reader it gives them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

import infra
from infra.store import StoreServer
from streams.clickhouse_client import connect

GRAFANA = Path(infra.__file__).parent / "grafana"
DASHBOARDS = {
    path.stem: json.loads(path.read_text())
    for path in sorted((GRAFANA / "dashboards").glob("*.json"))
}
QUERIES = [
    pytest.param(target["rawSql"], target["queryType"], id=f"{name}: {panel['title']}")
    for name, dashboard in DASHBOARDS.items()
    for panel in dashboard["panels"]
    for target in panel["targets"]
]
EVERYWHERE = re.compile(r"\$__conditionalAll\((.*), \$deployment\)")


def _sent(sql: str, deployments: str | None) -> str:
    """Return what Grafana's ClickHouse plugin makes of ``sql``; None stands for All."""
    sql = EVERYWHERE.sub("1=1" if deployments is None else r"\1", sql)
    sql = sql.replace("${deployment:singlequote}", deployments or "")
    return re.sub(
        r"\$__timeFilter\((\w+)\)", r"\1 >= toDateTime(0) AND \1 <= toDateTime(4000000000)", sql
    )


@pytest.mark.clickhouse
@pytest.mark.parametrize("deployments", [None, "'bank','default'"], ids=["all", "some"])
@pytest.mark.parametrize(("sql", "kind"), QUERIES)
def test_a_panel_asks_for_what_the_store_has(
    clickhouse_server: StoreServer, sql: str, kind: str, deployments: str | None
) -> None:
    """Each query runs as the reader; a time series begins with a time and ends with numbers."""
    sent = _sent(sql, deployments)
    assert "$" not in sent
    client = connect(clickhouse_server.reader)
    try:
        client.query(sent, settings={"max_execution_time": 30})
        described = client.query(f"DESCRIBE ({sent})").result_rows
    finally:
        client.close()
    if kind == "timeseries":
        assert described[0][0] == "time"
        assert described[0][1].startswith("DateTime")
        assert described[-1][1].startswith(("Float", "UInt"))


@pytest.mark.parametrize("dashboard", DASHBOARDS.values(), ids=DASHBOARDS)
def test_panels_lie_side_by_side(dashboard: dict[str, Any]) -> None:
    """No panel covers another or hangs over the edge, and each says what it shows."""
    taken: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        columns = range(place["x"], place["x"] + place["w"])
        cells = {(x, y) for x in columns for y in range(place["y"], place["y"] + place["h"])}
        assert columns.stop <= 24
        assert not cells & taken
        taken |= cells
        assert panel["title"]
        assert panel["description"].endswith(".")


def test_dashboards_use_the_provisioned_source() -> None:
    """Panels and variables read from the source that provisioning makes, and from no other."""
    text = (GRAFANA / "provisioning/datasources/tidegate.yaml").read_text()
    [source] = yaml.safe_load(text)["datasources"]
    wanted = {"type": source["type"], "uid": source["uid"]}
    for dashboard in DASHBOARDS.values():
        variables = dashboard["templating"]["list"]
        used = [part["datasource"] for part in [*dashboard["panels"], *variables]]
        used += [
            target["datasource"] for panel in dashboard["panels"] for target in panel["targets"]
        ]
        assert all(each == wanted for each in used)
    assert not re.search(r"(?i)password: *[^$\s]", text)


def test_names_of_dashboards_are_their_own() -> None:
    """Every dashboard has a uid, and every panel of one has an id, that no other has."""
    uids = [dashboard["uid"] for dashboard in DASHBOARDS.values()]
    assert len(uids) == len(set(uids)) >= 2
    for dashboard in DASHBOARDS.values():
        ids = [panel["id"] for panel in dashboard["panels"]]
        assert len(ids) == len(set(ids))
