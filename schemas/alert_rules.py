"""Alert rules as people write them: what they are about, when they speak, and when they do not."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, model_validator

from schemas.base import Labels, Name
from schemas.written import Location, Written, fault

Seconds = Annotated[float, Field(ge=0)]
QUERIED = "query"
"""Stands where a monitor's name would, in findings that a rule's query gave."""
_READS = re.compile(r"\s*(SELECT|WITH)\b", re.IGNORECASE)


class Query(Written):
    """A question to the store, asked again and again.

    Attributes:
        sql: One SELECT whose column ``value`` is judged; a column ``deployment`` says whose it is,
            all others name the segment. It must say ``{at:DateTime64(3)}`` for the time it is asked
            about, so that it can be asked about history as well.
        every_s: Seconds between one time and the next.
    """

    sql: str
    every_s: Annotated[float, Field(ge=5)] = 60.0

    @model_validator(mode="after")
    def _reads(self) -> Query:
        if not _READS.match(self.sql):
            raise ValueError("sql must begin with SELECT or WITH: it only reads")
        return self

    @model_validator(mode="after")
    def _asks_about_a_time(self) -> Query:
        if "{at:" not in self.sql:
            raise ValueError("sql must say {at:DateTime64(3)} where it means the time asked about")
        return self


class Silence(Written):
    """A time during which a rule does not speak of something; what lasts longer is told then.

    Attributes:
        since: When it begins.
        until: When it ends.
        deployment: Only of this one.
        segment: Only where the segment says this.
        author: Who answers for it.
        reason: Why.
    """

    since: AwareDatetime
    until: AwareDatetime
    deployment: Name | None = None
    segment: Labels = Field(default_factory=dict)
    author: str = ""
    reason: str = ""


class FalseAlarms(Written):
    """How many false alarms are allowed over everything a rule watches, see ``alerts/budget.py``.

    Attributes:
        share: The share of a day's alarms of a deployment that may be false.
        streams: How many things of a deployment are watched at most.
    """

    share: Annotated[float, Field(gt=0, le=1)] = 0.1
    streams: Annotated[int, Field(ge=1)] = 1_000


class AlertRule(Written):
    """When there is an alert, of what, and when it is not told.

    Attributes:
        findings: The monitors whose findings count, by name, or ``all``.
        metrics: Only these metrics of theirs; all if empty.
        deployments: Only these deployments; all if empty.
        segment: Only findings whose segment says this.
        above: There is an alert while the value is above this; plain values count as well then.
            Without ``above`` and ``below``, a detection begins an alert and a recovery ends it.
        below: While it is below this.
        query: Asked instead of the monitors.
        absent_s: There is an alert while a named monitor has said nothing for so many seconds.
        all_of: There is an alert while each of these rules has one in the deployment.
        for_s: How many seconds it must last before it is told.
        severity: How urgent it is.
        group_by: One alert for all that share these: of ``monitor``, ``metric`` and names of the
            segment; the deployment always. Without it, each segment of each metric has its own.
        cooldown_s: For so many seconds after its end it does not fire again.
        unless: Rules whose alerts in the deployment say enough: while one fires, this one waits.
        silences: Times at which it does not speak.
        false_alarms: One budget over all that it watches; without it, every detection counts.
    """

    name: Name
    findings: Literal["all"] | tuple[Name, ...] = "all"
    metrics: tuple[str, ...] = ()
    deployments: tuple[Name, ...] = ()
    segment: Labels = Field(default_factory=dict)
    above: float | None = None
    below: float | None = None
    query: Query | None = None
    absent_s: Annotated[float, Field(ge=30)] | None = None
    all_of: tuple[Name, ...] = ()
    for_s: Seconds = 0.0
    severity: Literal["info", "warning", "critical"] = "warning"
    group_by: tuple[str, ...] | None = None
    cooldown_s: Seconds = 0.0
    unless: tuple[Name, ...] = ()
    silences: tuple[Silence, ...] = ()
    false_alarms: FalseAlarms | None = None

    @property
    def judges_values(self) -> bool:
        """Whether plain values count, not only what monitors call a change."""
        return self.above is not None or self.below is not None


def check_rules(folder: Path, rules: Mapping[str, AlertRule]) -> None:
    """Refuse rules that contradict themselves or refer to what is not there.

    Args:
        folder: Where their files are.
        rules: All of them, by name.

    Raises:
        ConfigError: Naming file, line and key.
    """
    for rule in rules.values():
        path = folder / f"{rule.name}.yaml"
        check_rule(path, rule)
        others: tuple[tuple[str, tuple[Name, ...]], ...] = (
            ("unless", rule.unless),
            ("all_of", rule.all_of),
        )
        for key, names in others:
            for index, name in enumerate(names):
                where: Location = (key, index)
                if name not in rules:
                    known = ", ".join(sorted(rules))
                    raise fault(path, where, f"no alert rule {name!r}; there are: {known}")
                if name == rule.name:
                    raise fault(path, where, "refers to itself")
                if key == "all_of" and rules[name].all_of:
                    raise fault(path, where, f"{name!r} is itself made of other rules")


def check_rule(path: Path, rule: AlertRule) -> None:
    """Refuse a rule that contradicts itself.

    Args:
        path: Its file.
        rule: The rule.

    Raises:
        ConfigError: Naming file, line and key.
    """
    for at, message in _contradictions(rule):
        raise fault(path, at, message)


def check_monitors(folder: Path, rules: Mapping[str, AlertRule], known: Collection[str]) -> None:
    """Refuse rules about monitors that do not exist.

    Args:
        folder: Where their files are.
        rules: All of them, by name.
        known: The monitors there are.

    Raises:
        ConfigError: Naming file, line and key.
    """
    for rule in rules.values():
        for index, name in enumerate(() if rule.findings == "all" else rule.findings):
            if name not in known:
                there = ", ".join(sorted(known))
                message = f"no monitor {name!r}; there are: {there}"
                raise fault(folder / f"{rule.name}.yaml", ("findings", index), message)


def _contradictions(rule: AlertRule) -> list[tuple[Location, str]]:
    """Return each place that does not go with the others, and why."""
    found: list[tuple[Location, str]] = []
    whole = [key for key in ("query", "absent_s", "all_of") if getattr(rule, key)]
    if len(whole) > 1:
        found.append(((whole[1],), f"does not go with {whole[0]}"))
    if rule.query and not rule.judges_values:
        found.append((("query",), "needs above or below"))
    if rule.judges_values and ("absent_s" in whole or "all_of" in whole):
        found.append(((whole[0],), "does not go with above or below"))
    if rule.absent_s is not None and rule.findings == "all":
        found.append((("absent_s",), "needs findings: the monitors that must not be quiet"))
    if rule.query and rule.findings != "all":
        found.append((("findings",), "does not go with query"))
    found += [
        (("silences", number, "until"), "is not after since")
        for number, silence in enumerate(rule.silences)
        if silence.until <= silence.since
    ]
    return found
