"""Alerts as the demo takes them in: each firing once, and what is open is known."""

from __future__ import annotations

from typing import Any, Literal

from infra.demo.following import note_alert
from infra.demo.progress import Progress
from schemas.base import event_id
from schemas.codec import encode
from schemas.topics import ALERTS
from streams.log import Partition, Record
from tests.infra.events import alerted


def told(
    progress: Progress,
    state: Literal["firing", "acknowledged", "resolved"],
    firing: int = 1,
    is_new: bool = True,
) -> None:
    """Have ``progress`` hear of a change of the one alert there is."""
    change: dict[str, Any] = {"state": state, "firing": firing}
    change["event_id"] = event_id("alert", state, firing)
    alert = alerted().model_copy(update=change)
    record = Record(Partition(ALERTS.name, 0), 0, 1_000, None, encode(alert))
    note_alert(record, progress, is_new=is_new)


def test_an_alert_written_twice_fired_once() -> None:
    """The writer of alerts may repeat itself; a new firing of the same alert is news."""
    progress = Progress(1)
    told(progress, "firing")
    told(progress, "firing")
    told(progress, "resolved")
    told(progress, "resolved")
    told(progress, "firing", firing=2)
    assert [raised.alert.firing for raised in progress.raised] == [1, 2]
    assert len(progress.resolved) == 1


def test_what_was_open_before_is_known_but_did_not_fire() -> None:
    """An alert left open by an earlier run counts as open until it is resolved, not as raised."""
    progress = Progress(1)
    told(progress, "firing", is_new=False)
    told(progress, "acknowledged", is_new=False)
    assert list(progress.open.values())
    assert progress.raised == []
    told(progress, "resolved")
    assert progress.open == {}


def test_a_record_that_is_no_alert_is_noted() -> None:
    """What cannot be read is said, and nothing else happens."""
    progress = Progress(1)
    note_alert(Record(Partition(ALERTS.name, 0), 0, 1_000, None, b"{}"), progress, is_new=True)
    assert progress.raised == []
    assert "cannot be read" in progress.notes[0]
