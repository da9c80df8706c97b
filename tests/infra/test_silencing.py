"""Silences come into a rule's file and end there, and nothing else in it changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from infra.cli import tidegate
from infra.rule_files import RuleFiles
from infra.silencing import RuleFile, open_silences
from infra.topics import apply
from schemas.alert_rules import Silence
from schemas.codec import decode
from schemas.errors import ConfigError
from schemas.improving import AuditEntry
from schemas.registry import load_registry
from schemas.topics import AUDIT
from streams.auditing import audit
from streams.log import Connection
from streams.tail import Tail

DEPLOYMENT = "name: bank\npools: [{name: small, model: m}]\n"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
FIRST = Silence(since=NOON, until=NOON + timedelta(hours=1), author="eve", reason="a: move, at # 5")
SECOND = Silence(since=NOON, until=NOON + timedelta(hours=2), segment={"pool": "small"})
BARE = "# Why this is.\nname: slow\nseverity: critical # wakes somebody\n"
BLOCK = """\
name: slow # a comment
silences: # holidays
  - since: 2026-03-01T12:00:00Z
    until: 2026-03-01T13:00:00Z
    author: eve
    reason: 'a: move, at # 5'
# what comes after
severity: critical
"""
FLOW = """\
silences: [{since: 2026-03-01T12:00:00Z, until: 2026-03-01T13:00:00Z,
  author: eve, reason: "a: move, at # 5"}] # told
name: slow
"""


def file(registry: Path, text: str) -> RuleFile:
    """Write a rule and return its file."""
    (registry / "alerts").mkdir(exist_ok=True)
    (registry / "alerts/slow.yaml").write_text(text)
    return RuleFile(registry, "slow")


@pytest.mark.parametrize(
    ("text", "before"),
    [(BARE, ()), (BARE.strip(), ()), (BLOCK, (FIRST,)), (FLOW, (FIRST,))],
    ids=["none", "no line end", "block", "flow"],
)
def test_a_silence_is_added_and_ended_in_any_form_of_file(
    tmp_path: Path, text: str, before: tuple[Silence, ...]
) -> None:
    """What is read again is what was said; all that is no silence stays, comments too."""
    one = file(tmp_path, text)
    assert one.silences == before
    one.write(one.adding(SECOND))
    two = RuleFile(tmp_path, "slow")
    assert two.silences == (*before, SECOND)
    number, later = len(two.silences), NOON + timedelta(minutes=30)
    two.write(two.ending(number, later))
    assert RuleFile(tmp_path, "slow").silences[-1].until == later
    two.write(two.ending(number, NOON - timedelta(hours=1)))
    assert RuleFile(tmp_path, "slow").silences == before
    left = (tmp_path / "alerts/slow.yaml").read_text()
    kept = [line for line in text.splitlines() if "severity" in line or line.startswith("#")]
    assert all(line in left.splitlines() for line in kept)


def test_what_cannot_be_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    """A silence that ends before it begins, one that is not there, and a rule that is not."""
    one = file(tmp_path, BLOCK)
    with pytest.raises(ConfigError, match="is not after since"):
        one.adding(FIRST.model_copy(update={"until": NOON}))
    with pytest.raises(ConfigError, match="there are 1 silences"):
        one.ending(2, NOON)
    with pytest.raises(ConfigError, match="silence 1 is over"):
        one.ending(1, NOON + timedelta(days=1))
    with pytest.raises(ConfigError, match="no alert rule 'quick'; there are: slow"):
        RuleFile(tmp_path, "quick")
    assert (tmp_path / "alerts/slow.yaml").read_text() == BLOCK


def test_changed_rules_are_read_again_and_wrong_ones_left(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Once for each change; a mistake is logged, and the rules stay as they were."""
    (tmp_path / "deployments").mkdir()
    (tmp_path / "deployments/bank.yaml").write_text(DEPLOYMENT)
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies/default.yaml").write_text("name: default\n")
    rule = file(tmp_path, BARE)
    files = RuleFiles(tmp_path, load_registry)
    assert files.changed() is None
    rule.write(rule.adding(SECOND))
    changed = files.changed()
    assert changed is not None
    assert [one.silences for one in changed] == [(SECOND,)]
    assert files.changed() is None
    (tmp_path / "alerts/slow.yaml").write_text("name: slow\nfor: 5\n")
    assert files.changed() is None
    assert "goes on with the rules as they were" in caplog.text


def test_silences_that_are_over_are_not_listed(tmp_path: Path) -> None:
    """Those to come are."""
    file(tmp_path, BLOCK)
    assert list(open_silences(tmp_path, NOON - timedelta(days=1))) == [("slow", 1, FIRST)]
    assert list(open_silences(tmp_path, FIRST.until)) == []


@pytest.mark.kafka
async def test_each_change_is_an_entry_of_the_trail(kafka: Connection) -> None:
    """Each follows from the one before."""
    await apply(kafka, [])
    workspace = f"audit-{datetime.now(UTC).timestamp()}"
    said = [
        await audit(kafka, actor="eve", action=action, subject="s", details={}, workspace=workspace)
        for action in ("one", "two")
    ]
    assert [entry.sequence for entry in said] == [0, 1]
    assert said[1].previous_sha256 == said[0].sha256
    async with Tail(kafka, [AUDIT.name], from_start=True) as trail:
        found = [
            decode(AuditEntry, one.value)
            async for one in trail.read_to_end()
            if one.key == workspace.encode()
        ]
    assert found == said


@pytest.mark.kafka
def test_the_commands_add_list_and_end(kafka: Connection, tmp_path: Path) -> None:
    """As an operator uses them."""
    file(tmp_path, BARE)
    settings = {"TIDEGATE_REGISTRY": str(tmp_path), "TIDEGATE_KAFKA": kafka.bootstrap}

    def run(*arguments: str) -> str:
        told = CliRunner().invoke(tidegate, ["alerts", "silence", *arguments], env=settings)
        assert told.exit_code == 0, told.output
        return told.output

    why = ("--by", "eve", "--reason", "move")
    run("add", "slow", "--until", "2999-01-01", "--segment", "pool=small", *why)
    assert "slow 1: " in run("list")
    assert "pool=small; eve: move" in run("list")
    run("end", "slow", "1", "--by", "bob")
    assert run("list") == ""
