"""Whether some groups of people are served worse than others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from monitors.confidence import Gap, Interval, Rate
from monitors.monitor import Snapshot, finding
from monitors.sketch import LogSketch
from monitors.state import dump, load
from monitors.turns import Turn
from monitors.wording import clock, examples, percent
from schemas.requests import ResponseReleased, ResponseStatus
from schemas.watching import Finding, Observation

GROUP_KEY = "group."
"""Before a dimension's name in the metadata of requests, as in ``group.age: 65+``."""
DIMENSIONS_MAX = 4
GROUPS_MAX = 12
NAME_CHARS_MAX = 64
OTHER_GROUPS = "other"
"""Stands for groups of a dimension beyond the first :data:`GROUPS_MAX`, or of too long a name."""
EXEMPLARS_MAX = 3
VALUES_EVERY = timedelta(minutes=1)

TOLERATED = {"blocked": 0.02, "withheld": 0.02, "refused": 0.02, "rude": 0.01, "short": 0.1}
"""By outcome, the difference of two groups' rates that is none of our business."""


@dataclass
class _Group:
    rates: dict[str, Rate] = field(default_factory=lambda: {name: Rate() for name in TOLERATED})
    exemplars: dict[str, list[str]] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return self.rates["blocked"].total


@dataclass
class _Dimension:
    """Groups that exclude each other; ``told`` are gaps out in the open, and if shown anew."""

    began_at: datetime
    groups: dict[str, _Group] = field(default_factory=dict)
    reference: str | None = None
    told: dict[str, bool] = field(default_factory=dict)
    fresh: bool = False

    @property
    def total(self) -> int:
        return sum(group.total for group in self.groups.values())


@dataclass
class _State:
    lengths: LogSketch = field(default_factory=LogSketch)
    usual_tokens: float | None = None
    dimensions: dict[str, _Dimension] = field(default_factory=dict)
    values: Turn = field(default_factory=Turn)


class GroupGaps:
    """Raise a finding when a group's requests or answers fare otherwise than the largest group's.

    Applications say which groups a request belongs to, by ``group.<dimension>`` in its metadata.
    Compared are the shares of requests that were blocked, and of answers that were withheld,
    declined, rude, or shorter than the usual median. A gap is told once the whole interval of the
    difference lies beyond what is tolerated. The interval holds at every look, so that a pair of
    groups raises a false alarm in one of 10,000 stretches of ``stretch`` requests, at most; it
    supposes that both groups come at the same times, where rates change with time. After each
    stretch counting begins anew, and a gap that could not be shown again is over.

    Args:
        stretch: Requests of a dimension that are counted together.
        least: Items of a group before it is compared.
        alpha: The chance of a false alarm in one stretch, of one pair and outcome.
    """

    name = "group_gaps"
    version = "1"

    def __init__(self, stretch: int = 20_000, least: int = 100, alpha: float = 1e-4) -> None:
        self._stretch = stretch
        self._least = least
        self._alpha = alpha
        self._state = _State()

    def observe(self, observation: Observation) -> list[Finding]:
        """Count one response, or compare the groups as time passes."""
        if observation.response is not None:
            self._count(observation.response, observation.occurred_at)
        if not observation.is_tick:
            return []
        told: list[Finding] = []
        for name in sorted(self._state.dimensions):
            told += self._compare(observation, name, self._state.dimensions[name])
        return told + self._values(observation)

    def _count(self, response: ResponseReleased, at: datetime) -> None:
        outcomes = self._outcomes(response)
        metadata = response.served.metadata if response.served else {}
        for key in sorted(metadata):
            name = key.removeprefix(GROUP_KEY)
            if name == key or len(name) > NAME_CHARS_MAX or not outcomes:
                continue
            dimensions = self._state.dimensions
            if name not in dimensions and len(dimensions) >= DIMENSIONS_MAX:
                continue
            dimension = dimensions.setdefault(name, _Dimension(began_at=at))
            dimension.fresh = True
            group = _group_of(dimension, metadata[key])
            for outcome, hit in outcomes.items():
                group.rates[outcome].add(hit)
                if hit:
                    kept = group.exemplars.get(outcome, [])
                    group.exemplars[outcome] = [response.request_id, *kept][:EXEMPLARS_MAX]

    def _outcomes(self, response: ResponseReleased) -> dict[str, bool]:
        """Return what the response counts for, and whether it came to that."""
        if response.status is ResponseStatus.FAILED:
            return {}
        if response.status is ResponseStatus.BLOCKED:
            return {"blocked": True}
        found = {
            "blocked": False,
            "withheld": response.status is ResponseStatus.WITHHELD,
            "refused": "refusal" in response.guards,
            "rude": "tone" in response.guards,
        }
        state, tokens = self._state, response.usage.completion_tokens
        if state.usual_tokens is not None:
            found["short"] = tokens < state.usual_tokens
        else:
            state.lengths.add(tokens)
            if state.lengths.total >= 2 * self._least:
                state.usual_tokens, state.lengths = state.lengths.quantile(0.5), LogSketch()
        return found

    def _compare(
        self, observation: Observation, name: str, dimension: _Dimension
    ) -> Iterator[Finding]:
        """Say which gaps of a dimension have opened, and at the end of a stretch, closed."""
        if not dimension.fresh:
            return
        dimension.fresh = False
        if dimension.reference is None:
            known = [group for group in dimension.groups if group != OTHER_GROUPS]
            large = [group for group in known if dimension.groups[group].total >= self._least]
            if len(large) < 2:
                return
            dimension.reference = max(large, key=lambda group: dimension.groups[group].total)
        for group in sorted(dimension.groups):
            for outcome in TOLERATED:
                if group == dimension.reference:
                    continue
                gap = _gap(dimension, group, outcome)
                place = f"{outcome}/{group}"
                if not self._is_shown(gap, outcome):
                    continue
                if place not in dimension.told:
                    yield self._say(observation, name, group, outcome)
                dimension.told[place] = True
        if dimension.total >= self._stretch:
            yield from self._turn(observation, name, dimension)

    def _is_shown(self, gap: Gap, outcome: str) -> bool:
        """Return whether the difference is beyond what is tolerated, for certain."""
        tolerated = TOLERATED[outcome]
        if min(gap.rate.total, gap.reference.total) < self._least:
            return False
        if abs(gap.rate.value - gap.reference.value) <= tolerated:
            return False
        low, high = gap.difference(self._alpha)
        return low > tolerated or high < -tolerated

    def _turn(
        self, observation: Observation, name: str, dimension: _Dimension
    ) -> Iterator[Finding]:
        """End a stretch: gaps that it did not show are over, and counting begins anew."""
        for place in sorted(place for place, shown in dimension.told.items() if not shown):
            outcome, _, group = place.partition("/")
            yield self._say(observation, name, group, outcome, over=True)
        dimension.told = {place: False for place, shown in dimension.told.items() if shown}
        if not dimension.told:
            dimension.reference = None
        dimension.began_at = observation.occurred_at
        kept = {place.partition("/")[2] for place in dimension.told} | {dimension.reference}
        dimension.groups = {group: _Group() for group in dimension.groups if group in kept}

    def _say(
        self, observation: Observation, name: str, group: str, outcome: str, over: bool = False
    ) -> Finding:
        dimension = self._state.dimensions[name]
        gap, reference = _gap(dimension, group, outcome), dimension.reference or ""
        shown = [] if over else dimension.groups[group].exemplars.get(outcome, [])
        items = "requests" if outcome == "blocked" else "answers"
        said = (
            f"{percent(gap.rate.value)} of {gap.rate.total} {items} to {name} {group} {outcome}, "
            f"{percent(gap.reference.value)} of {gap.reference.total} to {reference}"
        )
        since = f"counted since {clock(dimension.began_at)}"
        if over:
            cause = f"{said}: no gap can be shown any more, {since}"
        else:
            cause = (
                f"{said}: the difference is {_points(gap.difference())} points, the ratio "
                f"{_factors(gap.ratio())} (95 %, however often one looks), {since}"
            )
        return finding(
            self,
            observation,
            f"{outcome}_rate",
            kind="recovery" if over else "detection",
            segment={"dimension": name, "group": group, "reference": reference},
            value=gap.rate.value,
            baseline=gap.reference.value,
            unit=f"share of {items}",
            samples=gap.rate.total,
            since_at=dimension.began_at,
            cause=f"{cause}; deployment {observation.deployment}{examples(shown)}",
            exemplars=tuple(shown),
        )

    def _values(self, observation: Observation) -> list[Finding]:
        """Return every group's rates, if it is time."""
        state, at = self._state, observation.occurred_at
        if not state.values.comes(at, VALUES_EVERY):
            return []
        return [
            finding(
                self,
                observation,
                f"{outcome}_rate",
                kind="value",
                segment={"dimension": name, "group": group},
                value=rate.value,
                unit="share of requests" if outcome == "blocked" else "share of answers",
                samples=rate.total,
                since_at=dimension.began_at,
            )
            for name, dimension in sorted(state.dimensions.items())
            for group, counted in sorted(dimension.groups.items())
            for outcome, rate in counted.rates.items()
            if rate.total >= self._least
        ]

    def snapshot(self) -> Snapshot:
        """Return the whole state as JSON."""
        return dump(self._state)

    def restore(self, snapshot: Snapshot) -> None:
        """Take on the state that :meth:`snapshot` returned."""
        self._state = load(_State, snapshot)


def _group_of(dimension: _Dimension, value: str) -> _Group:
    followed = value in dimension.groups or len(dimension.groups) < GROUPS_MAX
    name = value if followed and len(value) <= NAME_CHARS_MAX else OTHER_GROUPS
    return dimension.groups.setdefault(name, _Group())


def _gap(dimension: _Dimension, group: str, outcome: str) -> Gap:
    """Return the gap between a group and the reference, of which there must be one."""
    rates = [dimension.groups[one].rates[outcome] for one in (group, dimension.reference or "")]
    return Gap(rates[0], rates[1])


def _points(interval: Interval) -> str:
    """Return a difference of rates in percentage points.

    >>> _points((0.012, 0.187))
    '+1.2 to +18.7'
    """
    low, high = interval
    return f"{100 * low:+.1f} to {100 * high:+.1f}"


def _factors(interval: Interval) -> str:
    """Return a ratio of rates.

    >>> _factors((1.05, 2.176))
    '1.05 to 2.18'
    """
    low, high = interval
    return f"{low:.2f} to {high:.2f}"
