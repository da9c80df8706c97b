"""The alerts' process: findings and people's acknowledgements become alerts.

- **relay** reads acknowledgements from the feedback topic and writes each again under the
  deployment its alert is about, for only the process that reads those findings knows the alert.
- **judge** reads findings and those acknowledgements, applies the registry's rules, writes what
  changes and then keeps the state of each deployment it touched.
- **tick** writes among the findings, where a rule needs it, that time has passed; and what the
  queries of rules give. Both are records as well: read again, they have the same effect. None is
  written while this process is behind, lest a backlog be taken for silence. Rules that people
  changed meanwhile hold from then on, as if the process had begun anew.

Guarantees. Every detection and every acknowledgement is applied, however often the process is
killed. What comes again changes nothing, or makes the same event, ``event_id`` included: alerts are
written at least once, and the last record of an alert's key is how it stands. Between an
acknowledgement and a finding that come at the same time no order is promised.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import faust
from faust.types import TP, EventT, StreamT

from alerts.lifecycle import Alerts, deployment_of
from alerts.needed import CLOCK, Needed
from schemas.alert_rules import QUERIED, AlertRule
from schemas.base import Origin, event_id
from schemas.codec import decode, encode, peek
from schemas.errors import PipelineError, PoisonError
from schemas.improving import AlertAcknowledged
from schemas.registry import Registry
from schemas.topics import ALERTS, FEEDBACK, FINDINGS
from schemas.watching import WHOLE_SYSTEM, AlertChanged, Finding
from streams.faust_roles import (
    Kept,
    Snapshots,
    appended_at,
    batches,
    ensure_topics,
    make_app,
    position,
    raw,
    serve,
    write,
)
from streams.faust_transport import CommittedConsumer
from streams.log import Connection
from streams.querying import Ask, findings_of
from streams.speaking import speakers_of

GROUP = "tidegate-alerts"
TABLE = "alerts-by-deployment"
ACKNOWLEDGEMENTS = f"{GROUP}-acknowledgements"
TICK_S = 5.0
Changed = Callable[[], Sequence[AlertRule] | None]
log = logging.getLogger(__name__)


class Judge:
    """The agents of the alerts' app and what they hold in memory.

    Args:
        app: Where they are to run.
        registry: The rules, and which deployments there are.
        ask: Asks the store a rule's query about a time.
        changed: Returns all rules if people have changed one.
    """

    def __init__(self, app: faust.App, registry: Registry, ask: Ask, changed: Changed) -> None:
        self._app = app
        self._speakers = speakers_of(registry)
        self._rules: Sequence[AlertRule] = tuple(registry.rules.values())
        self._needed = Needed(self._rules)
        self._ask = ask
        self._changed = changed
        self._judging = asyncio.Lock()
        self._asked: dict[str, int] = {}
        self._states: dict[str, Alerts] = {}
        self._ends: dict[TP, int] | None = None
        self._snapshots = Snapshots(app, TABLE)
        app.agent(raw(app, FEEDBACK.name), name="relay")(self.relay)
        app.agent(raw(app, FINDINGS.name, ACKNOWLEDGEMENTS), name="judge")(self.judge)
        app.timer(TICK_S, name="tick")(self.tick)
        app.on_partitions_revoked.connect(self._forget)

    async def relay(self, stream: StreamT[bytes]) -> None:
        """Hand acknowledgements on to whoever reads the findings they are about."""
        async for batch in batches(stream, most=500, within_s=0.1):
            words = [word for event in batch if (word := _acknowledgement(event))]
            said = [(deployment_of(word.alert_id).encode(), encode(word)) for word in words]
            await write(self._app, ACKNOWLEDGEMENTS, said)

    async def judge(self, stream: StreamT[bytes]) -> None:
        """Write what findings and acknowledgements change."""
        async for batch in batches(stream, most=500, within_s=0.2):
            async with self._judging:
                await self._judge(batch)

    async def _judge(self, batch: Sequence[EventT[bytes]]) -> None:
        changes: list[AlertChanged] = []
        touched: dict[str, int] = {}
        for event in batch:
            deployment, changed = self._apply(event)
            if deployment:
                changes += changed
                touched[deployment] = event.message.partition
        said = [(change.alert_id.encode(), encode(change)) for change in changes]
        await write(self._app, ALERTS.name, said)
        await self._snapshots.put(
            Kept(name, partition, self._states[name].snapshot())
            for name, partition in touched.items()
        )

    async def _renew(self) -> None:
        """Take on the rules if they have changed; states come back from what is kept of them."""
        rules = self._changed()
        if rules is None:
            return
        async with self._judging:
            self._rules, self._needed = rules, Needed(rules)
            self._states.clear()

    def _apply(self, event: EventT[bytes]) -> tuple[str, list[AlertChanged]]:
        """Return the deployment whose state ``event`` touches, if any, and what changes."""
        if event.message.topic == FINDINGS.name:
            finding = self._told(event)
            if finding is None:
                return "", []
            alerts = self._of(finding.deployment)
            if finding.monitor == CLOCK:
                return finding.deployment, alerts.pass_time(appended_at(event), position(event))
            return finding.deployment, alerts.apply(finding)
        word = _acknowledgement(event)
        deployment = deployment_of(word.alert_id) if word else ""
        if word is None or not (deployment in self._states or self._snapshots.get(deployment)):
            return "", []
        return deployment, self._of(deployment).acknowledge(word, position(event))

    def _told(self, event: EventT[bytes]) -> Finding | None:
        """Return the finding in ``event``, unless no rule needs it, or it is none.

        What a query gave has its own record as its origin: no other led to it.
        """
        value = event.message.value
        if not self._needed.is_met_by(peek(value)):
            return None
        try:
            finding = decode(Finding, value)
        except PoisonError as error:
            log.error("skipped a finding at %s: %s", position(event), error)
            return None
        if finding.monitor == QUERIED:
            return finding.model_copy(update={"origin": position(event)})
        return finding

    async def tick(self) -> None:
        """Write that time has passed, and what queries give, for what this process judges."""
        await self._renew()
        if not await self._is_up_to_date() or not self._needed.time:
            return
        mine = [name for name in self._speakers if self._owns(name)]
        now = datetime.now(UTC)
        said = [time_passed(name, now) for name in mine]
        if WHOLE_SYSTEM in mine:
            for rule in self._rules:
                said += await self._queried(rule, now)
        await write(
            self._app,
            FINDINGS.name,
            [(finding.deployment.encode(), encode(finding)) for finding in said],
        )

    async def _queried(self, rule: AlertRule, now: datetime) -> Sequence[Finding]:
        if rule.query is None:
            return []
        turn = int(now.timestamp() // rule.query.every_s)
        if self._asked.get(rule.name, -1) >= turn:
            return []
        self._asked[rule.name] = turn
        try:
            rows = await asyncio.to_thread(self._ask, rule.query.sql, now)
            return findings_of(rule, rows, now)
        except PipelineError as error:
            log.error("the query of rule %s failed: %s", rule.name, error)
            return []

    async def _is_up_to_date(self) -> bool:
        """Return whether all findings of a tick ago have been judged."""
        consumer = cast(CommittedConsumer, self._app.consumer)
        before, self._ends = self._ends, consumer.ends([FINDINGS.name])
        return before is not None and await consumer.is_past(before)

    def _owns(self, deployment: str) -> bool:
        consumer = self._app.consumer
        where = consumer.key_partition(FINDINGS.name, deployment.encode())
        return (FINDINGS.name, where) in consumer.assignment()

    def _of(self, deployment: str) -> Alerts:
        state = self._states.get(deployment)
        if state is None:
            speakers = self._speakers.get(deployment, ())
            state = self._states[deployment] = Alerts(deployment, self._rules, speakers)
            if kept := self._snapshots.get(deployment):
                state.restore(kept)
        return state

    async def _forget(self, *_: object, **__: object) -> None:
        """Drop the states: another process may go on with them, and they are kept."""
        self._states.clear()
        self._ends = None


def time_passed(deployment: str, at: datetime) -> Finding:
    """Return that it is ``at``; what counts when it is read is the broker's time of it."""
    return Finding(
        event_id=event_id("finding", CLOCK, deployment, at.isoformat()),
        occurred_at=at,
        monitor=CLOCK,
        monitor_version="1",
        kind="value",
        deployment=deployment,
        metric="time_s",
        value=at.timestamp(),
        unit="s",
        origin=Origin(topic=FINDINGS.name, partition=0, offset=0),
    )


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
    ask: Ask,
    ready: Callable[[], None],
    changed: Changed = lambda: None,
    drain_s: float = 25.0,
) -> None:
    """Run the alerts in this process until SIGTERM; return once what was begun is committed.

    Args:
        connection: How to reach Kafka.
        registry: The rules.
        data: The data folder.
        instance: Unique among the processes of this role, and the same after a restart.
        ask: Asks the store a rule's query about a time.
        ready: Called once state is recovered and findings are being read.
        changed: Returns all rules if people have changed one.
        drain_s: How long stopping may take before the process ends with what was not committed.

    Raises:
        ConfigError: If a topic is missing or Kafka refuses us.
        LogUnavailable: If Kafka was away for longer than its clients retry.
    """

    async def main() -> None:
        kept = Snapshots.topic(GROUP, TABLE)
        await ensure_topics(connection, kept, ACKNOWLEDGEMENTS, beside=FINDINGS.name)
        app = make_app(GROUP, connection, data=data, instance=instance)
        Judge(app, registry, ask, changed)
        await serve(app, ready, drain_s)

    asyncio.run(main())
