"""The alerts' process: findings and people's acknowledgements become alerts.

- **relay** reads acknowledgements from the feedback topic and writes each again under the key of
  the findings its alert is about, for only the process that reads those findings knows the alert.
- **judge** reads findings and those acknowledgements, applies the registry's rules, writes what
  changes and then keeps the state of each key it touched.

Guarantees. Every detection and every acknowledgement is applied, however often the process is
killed. What comes again changes nothing, or makes the same event, ``event_id`` included: alerts are
written at least once, and the last record of an alert's key is how it stands. Between an
acknowledgement and a finding that come at the same time no order is promised.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

import faust
from faust.types import EventT, StreamT

from alerts.lifecycle import Alerts, finding_key
from schemas.codec import decode, encode, peek
from schemas.errors import PoisonError
from schemas.improving import AlertAcknowledged
from schemas.registry import Registry
from schemas.topics import ALERTS, FEEDBACK, FINDINGS
from schemas.watching import AlertChanged, Finding
from streams.faust_roles import (
    Snapshots,
    batches,
    ensure_topics,
    make_app,
    position,
    raw,
    serve,
    write,
)
from streams.log import Connection

GROUP = "tidegate-alerts"
TABLE = "alert-states"
ACKNOWLEDGEMENTS = f"{GROUP}-acknowledgements"

log = logging.getLogger(__name__)


class Judge:
    """The agents of the alerts' app and what they hold in memory.

    Args:
        app: Where they are to run.
        registry: The rules.
    """

    def __init__(self, app: faust.App, registry: Registry) -> None:
        self._app = app
        self._rules = tuple(registry.rules.values())
        self._states: dict[str, Alerts] = {}
        self._snapshots = Snapshots(app, TABLE)
        app.agent(raw(app, FEEDBACK.name), name="relay")(self.relay)
        app.agent(raw(app, FINDINGS.name, ACKNOWLEDGEMENTS), name="judge")(self.judge)
        app.on_partitions_revoked.connect(self._forget)

    async def relay(self, stream: StreamT[bytes]) -> None:
        """Hand acknowledgements on to whoever reads the findings they are about."""
        async for batch in batches(stream, most=500, within_s=0.1):
            words = [word for event in batch if (word := _acknowledgement(event))]
            said = [(finding_key(word.alert_id).encode(), encode(word)) for word in words]
            await write(self._app, ACKNOWLEDGEMENTS, said)

    async def judge(self, stream: StreamT[bytes]) -> None:
        """Write what findings and acknowledgements change."""
        async for batch in batches(stream, most=500, within_s=0.2):
            changes: list[AlertChanged] = []
            touched: dict[str, int] = {}
            for event in batch:
                key, changed = self._apply(event)
                if key:
                    changes += changed
                    touched[key] = event.message.partition
            said = [(change.alert_id.encode(), encode(change)) for change in changes]
            await write(self._app, ALERTS.name, said)
            await self._snapshots.put(
                (key, partition, self._states[key].snapshot()) for key, partition in touched.items()
            )

    def _apply(self, event: EventT[bytes]) -> tuple[str, list[AlertChanged]]:
        """Return the key of the state that ``event`` touches, if any, and what changes."""
        if event.message.topic == FINDINGS.name:
            finding = _told(event)
            if finding is None:
                return "", []
            return finding.key, self._of(finding.key).apply(finding, self._rules)
        word = _acknowledgement(event)
        key = finding_key(word.alert_id) if word else ""
        if word is None or not (key in self._states or self._snapshots.get(key)):
            return "", []
        return key, self._of(key).acknowledge(word)

    def _of(self, key: str) -> Alerts:
        state = self._states.get(key)
        if state is None:
            state = self._states[key] = Alerts()
            if kept := self._snapshots.get(key):
                state.restore(kept)
        return state

    async def _forget(self, *_: object, **__: object) -> None:
        """Drop the states: another process may go on with them, and they are kept."""
        self._states.clear()


def _told(event: EventT[bytes]) -> Finding | None:
    """Return the finding in ``event``, unless it is a mere value, as most are, or no finding."""
    value = event.message.value
    if peek(value).get("kind") == "value":
        return None
    try:
        return decode(Finding, value)
    except PoisonError as error:
        log.error("skipped a finding at %s: %s", position(event), error)
        return None


def _acknowledgement(event: EventT[bytes]) -> AlertAcknowledged | None:
    """Return the acknowledgement in ``event``, if it is one; feedback is mostly about answers."""
    value = event.message.value
    if peek(value).get("type") != "alert_acknowledged":
        return None
    try:
        return decode(AlertAcknowledged, value)
    except PoisonError as error:
        log.error("skipped an acknowledgement at %s: %s", position(event), error)
        return None


def run_alerts(
    connection: Connection,
    *,
    registry: Registry,
    data: Path,
    instance: str,
    ready: Callable[[], None],
    drain_s: float = 25.0,
) -> None:
    """Run the alerts in this process until SIGTERM; return once what was begun is committed.

    Args:
        connection: How to reach Kafka.
        registry: The rules.
        data: The data folder.
        instance: Unique among the processes of this role, and the same after a restart.
        ready: Called once state is recovered and findings are being read.
        drain_s: How long stopping may take before the process ends with what was not committed.

    Raises:
        ConfigError: If a topic is missing or Kafka refuses us.
        LogUnavailable: If Kafka was away for longer than its clients retry.
    """

    async def main() -> None:
        kept = Snapshots.topic(GROUP, TABLE)
        await ensure_topics(connection, kept, ACKNOWLEDGEMENTS, beside=FINDINGS.name)
        app = make_app(GROUP, connection, data=data, instance=instance)
        Judge(app, registry)
        await serve(app, ready, drain_s)

    asyncio.run(main())
