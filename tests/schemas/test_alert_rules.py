"""Alert rules are refused by file, line and key, and say what is wrong."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from schemas.alert_rules import AlertRule, check_monitors, check_rules
from schemas.errors import ConfigError
from schemas.plants import Plant
from schemas.written import parse

EVERYTHING = """\
name: r
findings: [latency, ttft]
metrics: [latency_s]
deployments: [bank]
segment: {pool: small}
above: 2.5
for_s: 60
severity: critical
group_by: [monitor, pool]
cooldown_s: 600
unless: [other]
silences:
  - since: 2026-01-01T00:00:00Z
    until: 2026-01-02T00:00:00Z
    deployment: bank
    reason: maintenance
false_alarms: {share: 0.05, streams: 500}
"""
REFUSED = {
    "name: r\nseverity: loud\n": ("severity", 2, "Input should be"),
    "name: r\nfor_s: -1\n": ("for_s", 2, "greater than or equal to 0"),
    "name: r\nunless: [nobody]\n": ("unless.0", 2, "no alert rule 'nobody'; there are: other, r"),
    "name: r\nunless: [r]\n": ("unless.0", 2, "refers to itself"),
    "name: r\nall_of: [other]\nabsent_s: 60\nfindings: [x]\n": ("all_of", 2, "does not go with"),
    "name: r\nabsent_s: 60\n": ("absent_s", 2, "needs findings"),
    "name: r\nquery: {sql: SELECT 1}\nabove: 1\n": ("query", 2, "{at:DateTime64(3)}"),
    "name: r\nquery: {sql: 'SELECT {at:DateTime64(3)}'}\n": ("query", 2, "needs above or below"),
    "name: r\nquery: {sql: 'DROP TABLE x -- {at:DateTime64(3)}'}\nabove: 1\n": (
        "query",
        2,
        "sql must begin with SELECT or WITH",
    ),
    "name: r\nall_of: [other]\nabove: 1\n": ("all_of", 2, "does not go with above or below"),
    "name: r\nsilences:\n- since: 2026-01-02T00:00:00Z\n  until: 2026-01-01T00:00:00Z\n": (
        "silences.0.until",
        4,
        "is not after since",
    ),
}


def checked(folder: Path, text: str) -> AlertRule:
    """Return the rule in ``text`` after all checks, beside a rule called ``other``."""
    path = folder / "r.yaml"
    path.write_text(text)
    rule = parse(path, text.encode(), AlertRule)
    check_rules(folder, {"r": rule, "other": AlertRule(name="other")})
    return rule


def test_a_rule_may_say_all_of_it(tmp_path: Path) -> None:
    """Every key that goes with the others."""
    rule = checked(tmp_path, EVERYTHING)
    assert rule.judges_values
    assert rule.false_alarms is not None
    assert rule.false_alarms.streams == 500


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: repr(text)[9:40])
def test_mistakes_are_named(tmp_path: Path, text: str) -> None:
    """File, line, key and what is wrong."""
    key, line, message = REFUSED[text]
    with pytest.raises(ConfigError) as caught:
        checked(tmp_path, text)
    said = str(caught.value)
    assert message in said
    assert f"r.yaml:{line}" in said
    assert (caught.value.key or "").startswith(key)


def test_a_rule_of_rules_of_rules_is_refused(tmp_path: Path) -> None:
    """One floor is enough."""
    (tmp_path / "r.yaml").write_text("name: r\nall_of: [both]\n")
    both = AlertRule(name="both", all_of=("a",))
    rules = {"r": AlertRule(name="r", all_of=("both",)), "both": both, "a": AlertRule(name="a")}
    with pytest.raises(ConfigError, match="itself made of other rules"):
        check_rules(tmp_path, rules)


def test_a_monitor_that_does_not_exist_is_named(tmp_path: Path) -> None:
    """With those there are."""
    (tmp_path / "r.yaml").write_text("name: r\nfindings: [latency, latencies]\n")
    rule = AlertRule(name="r", findings=("latency", "latencies"))
    with pytest.raises(ConfigError, match=r"no monitor 'latencies'; there are: latency, ttft"):
        check_monitors(tmp_path, {"r": rule}, ["ttft", "latency"])


def test_what_the_documentation_shows_is_accepted(tmp_path: Path) -> None:
    """Its rules and plants are read as they stand there."""
    text = (Path(__file__).parents[2] / "docs/alerts.md").read_text()
    shown = re.findall(r"```yaml\n# (alerts|plants)/(\S+).yaml\n(.*?)```", text, re.DOTALL)
    assert {kind for kind, _, _ in shown} == {"alerts", "plants"}
    for kind, name, body in shown:
        path = tmp_path / f"{name}.yaml"
        path.write_text(body)
        model: type[AlertRule | Plant] = AlertRule if kind == "alerts" else Plant
        assert parse(path, body.encode(), model).name == name
