"""A trail that cannot be altered unnoticed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback.audit import BEGINNING, Break, entry_after, fingerprint, first_break
from schemas.codec import decode, encode
from schemas.improving import AuditEntry

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


def trail(length: int = 5, workspace: str = "default") -> list[AuditEntry]:
    """Return a trail of changes, one a minute."""
    entries: list[AuditEntry] = []
    for number in range(length):
        entries.append(
            entry_after(
                entries[-1] if entries else None,
                workspace=workspace,
                at=NOON + timedelta(minutes=number),
                actor="jo",
                action="policy_changed",
                subject=f"policies/{number}",
                details={"from": "a", "to": "b"},
            )
        )
    return entries


def test_a_trail_holds_also_when_it_was_stored() -> None:
    """What comes back from the topic has the hashes that were written."""
    stored = [decode(AuditEntry, encode(entry)) for entry in trail()]
    assert first_break(stored) is None
    assert first_break(stored, head_sha256=stored[-1].sha256) is None
    assert first_break([]) is None
    assert stored[0].previous_sha256 == BEGINNING


@given(
    st.integers(0, 4),
    st.sampled_from(
        [
            {"actor": "al"},
            {"action": "other"},
            {"subject": "else"},
            {"details": {}},
            {"occurred_at": NOON},
            {"previous_sha256": "1" * 64},
            {"sha256": "1" * 64},
        ]
    ),
)
def test_a_change_is_noticed_where_it_was_made(number: int, change: dict[str, object]) -> None:
    """Every field is covered by the hash; a change breaks the trail at that entry."""
    entries = trail()
    if entries[number].model_copy(update=change) == entries[number]:
        return
    entries[number] = entries[number].model_copy(update=change)
    broken = first_break(entries)
    assert broken is not None
    assert broken.sequence == number


def test_a_change_that_is_hashed_anew_breaks_the_next_entry() -> None:
    """Whoever alters an entry must alter all that follow."""
    entries = trail()
    altered = entries[2].model_copy(update={"actor": "al"})
    entries[2] = altered.model_copy(update={"sha256": fingerprint(altered)})
    assert first_break(entries) == Break(3, "does not follow from the entry before it")


@pytest.mark.parametrize("gone", range(5))
def test_a_missing_entry_is_noticed(gone: int) -> None:
    """Taken out of the middle it leaves a gap; off the end, only the noted head tells."""
    whole = trail()
    entries = whole[:gone] + whole[gone + 1 :]
    broken = first_break(entries, head_sha256=whole[-1].sha256)
    assert broken is not None
    assert broken.sequence == gone


def test_trails_do_not_mix() -> None:
    """An entry of another workspace is no part of this one's trail."""
    mixed = [*trail(2), trail(3, workspace="other")[2]]
    assert first_break(mixed) == Break(2, "belongs to 'other', not 'default'")
    with pytest.raises(ValueError, match="does not go on"):
        entry_after(trail(1)[0], workspace="other", at=NOON, actor="jo", action="x", subject="y")
