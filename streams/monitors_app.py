"""The monitors' process: what happens on the topics becomes observations, and those findings.

Two agents and a clock:

- **relay** reads what is asked, answered, found, rated, decided and set aside, and writes one
  observation per deployment concerned, keyed by it, so that one process holds all of a deployment.
- **watch** reads the observations and hands each to the :class:`Watcher` of its deployment, whose
  findings it writes, and that the deployment's files changed; then it keeps the watcher's snapshot.
- **tick** writes, for the deployments whose observations this process reads, that time has passed
  and how their pools stand, and asks the questions of probes that are due; what the registry says
  of a deployment it writes when it begins to watch it. Ticks are records as well: read again, they
  have the same effect. Nothing is written while this process is behind, lest its monitors take a
  backlog for silence.

Guarantees. Every record of the sources reaches the monitors, however often the process is killed:
it is acknowledged after its observations are stored, an observation after its findings and then the
snapshot are. What comes again is skipped by the watcher, which remembers how far it has come in
each partition, or leads to the very same findings, ``event_id`` included. Findings are therefore
written at least once. A process that was suspended past its session and wakes up can still write
what it held, which does no harm but to the snapshot: the new owner's next one replaces it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol, cast

import faust
from faust.types import TP, StreamT

from monitors import watch_of
from monitors.monitor import Snapshot
from monitors.ours import Ours, turn_of
from monitors.watch import Watch
from schemas.codec import decode, encode
from schemas.errors import PoisonError, TransientError
from schemas.improving import DeploymentChanged
from schemas.probes import probes_of
from schemas.registry import Deployment, Registry, SentByUs
from schemas.requests import CompletionRequested
from schemas.topics import CONTROL, FINDINGS, OBSERVATIONS, REQUESTS
from schemas.watching import WHOLE_SYSTEM, Finding, Observation, PoolObserved, Registered
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
from streams.observing import SOURCES, Observer, noted, placed
from streams.pools import LiveWorkers

GROUP = "tidegate-monitors"
TABLE = "watch-snapshots"
TICK_S = 5.0

log = logging.getLogger(__name__)


class Watcher(Protocol):
    """All monitors of one deployment; it skips an observation whose origin it has taken in."""

    def observe(self, observation: Observation) -> list[Finding]:
        """Take in what happened and return what there is to say."""
        ...

    def announced(self, observation: Observation) -> DeploymentChanged | None:
        """Return what is to be announced because of ``observation``, before it is observed."""
        ...

    def learned(self) -> Mapping[str, Callable[[], Snapshot]]:
        """Return what was learned and is no part of the state, see :class:`Kept`."""
        ...

    def snapshot(self) -> Snapshot:
        """Return the state as JSON."""
        ...

    def relearn(self, parts: Mapping[str, Snapshot]) -> None:
        """Take in what was learned, for the snapshot that is restored next."""
        ...

    def restore(self, snapshot: Snapshot) -> None:
        """Take on the state that :meth:`snapshot` returned."""
        ...


class Monitors:
    """The agents of the monitors' app and what they hold in memory.

    Args:
        app: Where they are to run.
        registry: Which deployments and pools there are.
        observer: What records mean.
        watcher: Makes the watcher of a deployment.
        workers: Counts the live workers of a pool.
        waiting: Counts the unfinished requests of a pool.
    """

    def __init__(
        self,
        app: faust.App,
        *,
        registry: Registry,
        observer: Observer,
        watcher: Callable[[str], Watcher],
        workers: Callable[[str], Awaitable[int]],
        waiting: Callable[[str], Awaitable[int]],
    ) -> None:
        self._app = app
        self._registry = registry
        self._observer = observer
        self._watcher = watcher
        self._workers = workers
        self._waiting = waiting
        self._watchers: dict[str, Watcher] = {}
        self._ends: dict[TP, int] | None = None
        self._turns: dict[str, int] = {}
        self._registered: set[str] = set()
        self._snapshots = Snapshots(app, TABLE)
        app.agent(raw(app, *SOURCES), name="relay")(self.relay)
        app.agent(raw(app, OBSERVATIONS.name), name="watch")(self.watch)
        app.timer(TICK_S, name="tick")(self.tick)
        app.on_partitions_revoked.connect(self._forget)

    async def relay(self, stream: StreamT[bytes]) -> None:
        """Write down what the records of the sources mean."""
        async for batch in batches(stream, most=500, within_s=0.1):
            seen = [
                observation
                for event in batch
                for observation in self._observer.observe(
                    position(event), appended_at(event), event.message.value
                )
            ]
            await self._note(seen)

    async def watch(self, stream: StreamT[bytes]) -> None:
        """Show each observation to its deployment's monitors and write what they say."""
        async for batch in batches(stream, most=500, within_s=0.5):
            findings: list[Finding] = []
            announced: list[DeploymentChanged] = []
            touched: dict[str, int] = {}
            for event in batch:
                try:
                    observation = decode(Observation, event.message.value)
                except PoisonError as error:
                    log.error("skipped the observation at %s: %s", position(event), error)
                    continue
                observation = placed(observation, position(event), appended_at(event))
                watcher = self._of(observation.deployment)
                if change := watcher.announced(observation):
                    announced.append(change)
                findings += watcher.observe(observation)
                touched[observation.deployment] = event.message.partition
            said = [(finding.deployment.encode(), encode(finding)) for finding in findings]
            await write(self._app, FINDINGS.name, said)
            changes = [(change.deployment.encode(), encode(change)) for change in announced]
            await write(self._app, CONTROL.name, changes)
            await self._snapshots.put(
                Kept(deployment, partition, watcher.snapshot(), watcher.learned())
                for deployment, partition in touched.items()
                for watcher in [self._watchers[deployment]]
            )

    async def tick(self) -> None:
        """Write that time has passed, for the deployments that this process watches."""
        mine = [name for name in (*self._registry.deployments, WHOLE_SYSTEM) if self._owns(name)]
        up_to_date = await self._is_up_to_date()
        aside = {probes_of(sent.deployment) for sent in self._registry.sent_by_us}
        timed = [*mine, *(name for name in sorted(aside) if self._owns(name))]
        notes = [noted(name) for name in timed] if up_to_date else []
        new = [name for name in mine if name not in self._registered] if up_to_date else []
        self._registered.update(new)
        for name in mine:
            deployment = self._registry.deployments.get(name)
            if deployment is not None and name in new:
                notes.append(noted(name, registered=self._says(deployment)))
            for pool in deployment.pools if deployment else ():
                try:
                    notes.append(noted(name, pool=await self._stand(pool.name)))
                except TransientError as error:
                    log.warning("cannot tell how pool %s stands: %s", pool.name, error)
        await self._note(notes)
        if up_to_date:
            await self._probe(datetime.now(UTC))

    def _says(self, deployment: Deployment) -> Registered:
        versions = self._registry.versions
        return Registered(
            deployment_version=versions[f"deployments/{deployment.name}"],
            policy=deployment.policy,
            policy_version=versions[f"policies/{deployment.policy}"],
            pools=tuple(pool.name for pool in deployment.pools),
        )

    async def _probe(self, now: datetime) -> None:
        """Ask what is due of the probes, plants and questions that this process watches.

        Turns that were missed are missed.
        """
        asked: list[CompletionRequested] = []
        for sent in self._registry.sent_by_us:
            if (turn := self._due(sent, now)) is not None:
                asked += turn_of(sent, turn)
        await write(self._app, REQUESTS.name, [(one.key.encode(), encode(one)) for one in asked])

    def _due(self, sent: SentByUs, now: datetime) -> int | None:
        """Return the turn that is due, if one is and it is this process's."""
        key, turn = f"{type(sent).__name__}/{sent.name}", int(now.timestamp() // sent.every_s)
        if not self._owns(probes_of(sent.deployment)):
            self._turns.pop(key, None)
            return None
        if turn <= self._turns.setdefault(key, turn):
            return None
        self._turns[key] = turn
        return turn

    async def _is_up_to_date(self) -> bool:
        """Return whether all that stood on our sources a tick ago has been handed on."""
        consumer = cast(CommittedConsumer, self._app.consumer)
        before, self._ends = self._ends, consumer.ends(SOURCES)
        if before is None:
            return False
        past = await consumer.is_past(before)
        if not past:
            log.warning("more than %g s behind: time stands still for the monitors", TICK_S)
        return past

    async def _stand(self, pool: str) -> PoolObserved:
        live, waiting = await asyncio.gather(self._workers(pool), self._waiting(pool))
        return PoolObserved(pool=pool, live_workers=live, waiting_requests=waiting)

    async def _note(self, observations: list[Observation]) -> None:
        said = [(seen.deployment.encode(), encode(seen)) for seen in observations]
        await write(self._app, OBSERVATIONS.name, said)

    def _of(self, deployment: str) -> Watcher:
        watcher = self._watchers.get(deployment)
        if watcher is None:
            watcher = self._watchers[deployment] = self._watcher(deployment)
            if kept := self._snapshots.get(deployment):
                watcher.relearn(self._snapshots.learned(deployment))
                watcher.restore(kept)
        return watcher

    async def _forget(self, *_: Any, **__: Any) -> None:
        """Drop the watchers: another process may go on with them, and their snapshots are kept."""
        self._watchers.clear()
        self._registered.clear()
        self._ends = None

    def _owns(self, deployment: str) -> bool:
        consumer = self._app.consumer
        where = consumer.key_partition(OBSERVATIONS.name, deployment.encode())
        return (OBSERVATIONS.name, where) in consumer.assignment()


def all_monitors(registry: Registry) -> Callable[[str], Watch]:
    """Return what makes a deployment's watcher: every monitor, as ``registry`` has it."""

    def make(deployment: str) -> Watch:
        return watch_of(deployment, registry.deployments.get(deployment))

    return make


def run_monitors(
    connection: Connection,
    *,
    registry: Registry,
    data: Path,
    instance: str,
    waiting: Callable[[str], Awaitable[int]],
    ready: Callable[[], None],
    request_deadline_s: float = 300.0,
    drain_s: float = 25.0,
    watcher: Callable[[str], Watcher] | None = None,
) -> None:
    """Run the monitors in this process until SIGTERM; return once what was begun is committed.

    Args:
        connection: How to reach Kafka.
        registry: Which deployments and pools there are.
        data: The data folder.
        instance: Unique among the processes of this role, and the same after a restart.
        waiting: Counts the unfinished requests of a pool.
        ready: Called once state is recovered and records are being read.
        request_deadline_s: How long a request may take that does not say so itself.
        drain_s: How long stopping may take before the process ends with what was not committed.
        watcher: Makes the watcher of a deployment; :func:`all_monitors`, if not given.

    Raises:
        ConfigError: If a topic is missing or Kafka refuses us.
        LogUnavailable: If Kafka was away for longer than its clients retry.
    """

    async def main() -> None:
        await ensure_topics(connection, Snapshots.topic(GROUP, TABLE), beside=OBSERVATIONS.name)
        workers = LiveWorkers(connection)
        app = make_app(GROUP, connection, data=data, instance=instance)
        Monitors(
            app,
            registry=registry,
            observer=Observer(
                registry.deployments,
                request_deadline_s,
                Ours(registry.sent_by_us),
            ),
            watcher=watcher or all_monitors(registry),
            workers=workers.count,
            waiting=waiting,
        )
        try:
            await serve(app, ready, drain_s)
        finally:
            await workers.close()

    asyncio.run(main())
