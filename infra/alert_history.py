"""Stored findings, read back so that a rule can be tried on them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from heapq import merge
from pathlib import Path

from alerts.needed import CLOCK
from alerts.replay import replay
from schemas.alert_rules import QUERIED, AlertRule, check_rules
from schemas.base import Origin
from schemas.errors import ConfigError
from schemas.registry import Registry
from schemas.watching import AlertChanged, Finding
from schemas.written import parse, read
from streams.clickhouse_client import connect, translated
from streams.querying import Ask, findings_of
from streams.speaking import Speakers
from streams.store import StoreConnection

ASKED_MAX = 2_000
"""How often a rule's query is asked about the past, at most."""
_COLUMNS = """event_id, occurred_at, monitor, monitor_version, kind, deployment, segment, metric,
    value, `limit`, baseline, unit, samples, e_value, since_at, cause, exemplars"""
_QUERY = f"""
SELECT {_COLUMNS}, origin_topic, origin_partition, origin_offset FROM findings FINAL
WHERE occurred_at BETWEEN {{since:DateTime64(3)}} AND {{until:DateTime64(3)}}
    AND monitor NOT IN {{aside:Array(String)}}
    AND (kind != 'value' OR e_value IS NOT NULL OR {{values:Bool}})
ORDER BY occurred_at, kafka_partition, kafka_offset
"""


def tried_rules(path: Path, registry: Registry) -> tuple[AlertRule, list[AlertRule]]:
    """Return the rule in the file ``path``, and all that it is to be tried with.

    Raises:
        ConfigError: Naming file, line and key, if it is no rule, or refers to one that is not
            there.
    """
    rule = parse(path, read(path), AlertRule)
    rules = registry.rules | {rule.name: rule}
    check_rules(path.parent, {rule.name: rule} | {n: r for n, r in rules.items() if n != rule.name})
    wanted = {rule.name, *rule.unless, *rule.all_of}
    return rule, [one for name, one in rules.items() if name in wanted]


def would_have_told(
    store: StoreConnection,
    ask: Ask,
    rule: AlertRule,
    rules: Sequence[AlertRule],
    speakers: Speakers,
    since: datetime,
    until: datetime,
) -> Iterator[AlertChanged]:
    """Yield what ``rule`` would have told between two times, in order.

    Args:
        store: Where findings are stored.
        ask: Asks a rule's query about a time.
        rule: The rule to try.
        rules: It and those that it refers to.
        speakers: The deployments there are, and what else is spoken of, and by which monitors.
        since: The beginning.
        until: The end.

    Raises:
        StoreUnavailable: If the store does not answer.
        ConfigError: If a query would have to be asked too often.
    """
    values = any(one.judges_values or one.absent_s is not None for one in rules)
    streams = [stored_findings(store, since, until, values)]
    streams += [_asked(one, ask, since, until) for one in rules if one.query is not None]
    findings = merge(*streams, key=lambda finding: finding.occurred_at)
    for change in replay(findings, rules, speakers, since, until):
        if change.rule == rule.name:
            yield change


def stored_findings(
    store: StoreConnection, since: datetime, until: datetime, values: bool
) -> Iterator[Finding]:
    """Yield what monitors found between two times, in order; plain values only if ``values``.

    That time passed and what queries gave is left out: a replay has its own time and asks anew.

    Raises:
        StoreUnavailable: If the store does not answer.
    """
    client = connect(store)
    given = {"since": since, "until": until, "values": values, "aside": [CLOCK, QUERIED]}
    names = [name.strip(" `\n") for name in _COLUMNS.split(",")]
    try:
        with translated(), client.query_rows_stream(_QUERY, parameters=given) as rows:
            for *row, topic, partition, offset in rows:
                said = dict(zip(names, row, strict=True))
                for name in ("occurred_at", "since_at"):
                    said[name] = said[name] and said[name].replace(tzinfo=UTC)
                origin = Origin(topic=topic, partition=partition, offset=offset)
                yield Finding(origin=origin, **said)
    finally:
        client.close()


def _asked(rule: AlertRule, ask: Ask, since: datetime, until: datetime) -> Iterator[Finding]:
    """Yield what the query of ``rule`` gives for each of its times."""
    query = rule.query
    if query is None:
        return
    every = timedelta(seconds=query.every_s)
    if (until - since) / every > ASKED_MAX:
        raise ConfigError(
            f"the query of rule {rule.name!r} would be asked more than {ASKED_MAX} times: "
            f"choose a shorter time"
        )
    at = since
    while at <= until:
        yield from findings_of(rule, ask(query.sql, at), at)
        at += every
