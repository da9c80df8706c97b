"""Counts a run in Kafka and in ClickHouse, once everything has arrived."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping

from infra.demo.counting import Positions, in_log, in_store
from infra.demo.ledger import Ledger
from infra.demo.report import Account
from infra.demo.system import Target
from infra.settings import Settings
from monitors import GUARDS
from monitors.scanning import Scanner
from schemas.errors import StoreUnavailable
from schemas.verdicts import Direction

_STILL_S = 20.0
"""How long ClickHouse may lack what Kafka has without anything more coming."""
_LOOK_EVERY_S = 1.0
_MARGIN_MS = 60_000


async def account(
    settings: Settings, target: Target, since: Positions, began_ms: int, run: str, sent: int
) -> Account:
    """Return the account of ``sent`` requests, once ClickHouse has what Kafka has, or gets no more.

    Args:
        settings: All of them.
        target: Who was asked.
        since: Where the topics ended before the first request.
        began_ms: When that was, in milliseconds since the epoch.
        run: What the requests' ids begin with.
        sent: How many there were.

    Raises:
        LogUnavailable: If Kafka does not answer.
        StoreUnavailable: If ClickHouse does not answer.
    """
    connection = settings.connection()
    log = Ledger([row async for row in in_log(connection, target.pools, since, run)])
    store = Ledger(())
    changed_s = time.monotonic()
    while log.rows != store.rows and time.monotonic() < changed_s + _STILL_S:
        before = store
        try:
            store = await asyncio.to_thread(_stored, settings, began_ms, run)
        except StoreUnavailable:
            if time.monotonic() > changed_s + _STILL_S:
                raise
        if store.rows != before.rows:
            changed_s = time.monotonic()
        if store.rows != log.rows:
            await asyncio.sleep(_LOOK_EVERY_S)
    required = required_guards(target)
    amiss = [
        *(f"Kafka: {sentence}" for sentence in log.amiss(sent, required)),
        *(f"ClickHouse: {sentence}" for sentence in store.amiss(sent, required)),
        *log.differs_from(store, ("Kafka", "ClickHouse")),
    ]
    return Account(log, store, tuple(amiss))


def required_guards(target: Target) -> Mapping[Direction, frozenset[str]]:
    """Return the guards whose verdict every text of a direction must have."""
    policy = target.registry.policy_of(target.deployment)
    scanner = Scanner([guard() for guard in GUARDS], policy)
    return {direction: frozenset(scanner.required(direction)) for direction in Direction}


def _stored(settings: Settings, began_ms: int, run: str) -> Ledger:
    return Ledger(in_store(settings.store("reader"), began_ms - _MARGIN_MS, run))
