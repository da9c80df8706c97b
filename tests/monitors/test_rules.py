"""Packs of rules as files."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from monitors.rules import RulePack, expired, load_pack, packs
from schemas.errors import ConfigError

PACK = """\
name: sample
about: A pack for this test.
rules:
  - id: shouting
    looks_for: Somebody who shouts at a customer.
    source: House rules, section 4
    holds_until: 2026-06-30
    patterns:
      - (hey|oi) you
"""


@pytest.mark.parametrize("pack", packs(), ids=lambda pack: str(pack.name))
def test_every_rule_cites_its_source(pack: RulePack) -> None:
    """Each names an article, a section or a guideline, no address on the web, and is not stale."""
    assert len({rule.id for rule in pack.rules}) == len(pack.rules)
    for rule in pack.rules:
        assert "http" not in rule.source
        assert any(char.isdigit() for char in rule.source)
        assert rule.holds_until > date(2026, 6, 30)


def test_a_rule_holds_to_the_end_of_its_day(tmp_path: Path) -> None:
    """On the date itself it still holds; the day after it has expired."""
    path = tmp_path / "sample.yaml"
    path.write_text(PACK)
    pack = load_pack(path)
    last = date(2026, 6, 30)
    assert expired(pack, last) == ()
    assert [rule.id for rule in expired(pack, last + timedelta(days=1))] == ["shouting"]


def test_a_wrong_pack_is_named_by_line_and_key(tmp_path: Path) -> None:
    """Whoever writes packs is told where the mistake is."""
    path = tmp_path / "wrong.yaml"
    path.write_text(PACK.replace("source: House rules, section 4\n", "sources: none at all\n"))
    with pytest.raises(ConfigError) as raised:
        load_pack(path)
    assert raised.value.file == str(path)
    assert raised.value.line is not None
