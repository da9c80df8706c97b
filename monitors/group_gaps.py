"""Whether some groups of people are served worse than others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from monitors.confidence import BoundedMean, Gap, Interval, Rate, difference
from monitors.groups import DIMENSIONS_MAX, OTHER_GROUPS, Dimension, Group, groups_of
from monitors.harm import Harm
from monitors.monitor import Snapshot, finding
from monitors.sketch import LogSketch
from monitors.state import dump, load
from monitors.tone import Tone
from monitors.turns import Turn
from monitors.wording import clock, examples, percent
from schemas.requests import ResponseReleased, ResponseStatus
from schemas.verdicts import Outcome, TextScanned
from schemas.watching import Finding, Observation

VALUES_EVERY = timedelta(minutes=1)

TOLERATED = {"blocked": 0.02, "withheld": 0.02, "refused": 0.02, "rude": 0.01, "short": 0.1}
"""By outcome, the difference of two groups' rates that is none of our business."""
TOLERATED_SCORES = {Tone.name: 0.02, Harm.name: 0.05}
"""By guard, the same of its mean scores, 0 to 1."""
UNDER_WAY_MAX = 500
"""Requests whose groups are remembered until their answers are read."""


@dataclass
class _State:
    lengths: LogSketch = field(default_factory=LogSketch)
    usual_tokens: float | None = None
    dimensions: dict[str, Dimension] = field(default_factory=dict)
    under_way: dict[str, dict[str, str]] = field(default_factory=dict)
    values: Turn = field(default_factory=Turn)


class GroupGaps:
    """Raise a finding when a group's requests or answers fare otherwise than the largest group's.

    Applications say which groups a request belongs to, by ``group.<dimension>`` in its metadata.
    Compared are the shares of requests that were blocked, and of answers that were withheld,
    declined, rude, or shorter than the usual median; and the mean scores of the guard ``tone`` over
    answers and of ``harm``, where a policy lists it, over prompts. The latter is a gap of the
    guard's, whose scores may follow how a group writes.

    A gap is told once the whole interval of the difference lies beyond what is tolerated. The
    interval holds at every look, so that a pair of groups raises a false alarm in one of 10,000
    stretches of ``stretch`` requests, at most; it supposes that both groups come at the same times,
    where rates change with time. After each stretch counting begins anew, and a gap that could not
    be shown again is over.

    Args:
        stretch: Requests of a dimension that are counted together.
        least: Items of a group before it is compared.
        alpha: The chance of a false alarm in one stretch, of one pair and measure.
    """

    name = "group_gaps"
    version = "2"

    def __init__(self, stretch: int = 20_000, least: int = 100, alpha: float = 1e-4) -> None:
        self._stretch = stretch
        self._least = least
        self._alpha = alpha
        self._state = _State()

    def observe(self, observation: Observation) -> list[Finding]:
        """Count one response or text, or compare the groups as time passes."""
        if observation.response is not None:
            self._count(observation.response, observation.occurred_at)
        elif observation.scanned is not None:
            self._score(observation.scanned, observation.occurred_at)
        if not observation.is_tick:
            return []
        told: list[Finding] = []
        for name in sorted(self._state.dimensions):
            told += self._compare(observation, name, self._state.dimensions[name])
        return told + self._values(observation)

    def _count(self, response: ResponseReleased, at: datetime) -> None:
        outcomes = self._outcomes(response)
        metadata = response.served.metadata if response.served and outcomes else {}
        for group in self._named(groups_of(metadata), at):
            for outcome, hit in outcomes.items():
                group.count(outcome, hit, response.request_id)

    def _score(self, scanned: TextScanned, at: datetime) -> None:
        """Count the scores of a text; an answer's groups are those that its prompt came with."""
        under_way, request_id = self._state.under_way, scanned.request_id
        if groups := groups_of(scanned.metadata):
            under_way[request_id] = groups
            if len(under_way) > UNDER_WAY_MAX:
                del under_way[next(iter(under_way))]
        scored = [v for v in scanned.verdicts if v.guard in TOLERATED_SCORES]
        scored = [v for v in scored if v.outcome is not Outcome.NOT_SCANNED]
        for group in self._named(under_way.get(request_id, {}) if scored else {}, at):
            for verdict in scored:
                spoke = verdict.outcome is not Outcome.PASS
                group.score(verdict.guard, verdict.score, spoke, request_id)
        if any(verdict.guard == Tone.name for verdict in scored):
            under_way.pop(request_id, None)

    def _named(self, groups: Mapping[str, str], at: datetime) -> Iterator[Group]:
        """Yield what is counted of each group that a request names."""
        dimensions = self._state.dimensions
        for name, group in groups.items():
            if name in dimensions or len(dimensions) < DIMENSIONS_MAX:
                dimension = dimensions.setdefault(name, Dimension(at))
                dimension.fresh = True
                yield dimension.group(group)

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
        self, observation: Observation, name: str, dimension: Dimension
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
            for measure in (*TOLERATED, *TOLERATED_SCORES) if group != dimension.reference else ():
                place = f"{measure}/{group}"
                if not self._is_shown(*dimension.pair(group, measure), measure):
                    continue
                if place not in dimension.told:
                    yield self._say(observation, name, group, measure)
                dimension.told[place] = True
        if dimension.total >= self._stretch:
            yield from self._turn(observation, name, dimension)

    def _is_shown(
        self, one: Rate | BoundedMean, reference: Rate | BoundedMean, measure: str
    ) -> bool:
        """Return whether the difference is beyond what is tolerated, for certain."""
        tolerated = (TOLERATED | TOLERATED_SCORES)[measure]
        if min(one.total, reference.total) < self._least:
            return False
        if abs(one.value - reference.value) <= tolerated:
            return False
        low, high = difference(one, reference, self._alpha)
        return low > tolerated or high < -tolerated

    def _turn(self, observation: Observation, name: str, dimension: Dimension) -> Iterator[Finding]:
        """End a stretch: gaps that it did not show are over, and counting begins anew."""
        for place in sorted(place for place, shown in dimension.told.items() if not shown):
            measure, _, group = place.partition("/")
            yield self._say(observation, name, group, measure, over=True)
        dimension.told = {place: False for place, shown in dimension.told.items() if shown}
        if not dimension.told:
            dimension.reference = None
        dimension.began_at = observation.occurred_at
        kept = {place.partition("/")[2] for place in dimension.told} | {dimension.reference}
        dimension.groups = {group: Group() for group in dimension.groups if group in kept}

    def _say(
        self, observation: Observation, name: str, group: str, measure: str, over: bool = False
    ) -> Finding:
        dimension = self._state.dimensions[name]
        reference = dimension.reference or ""
        one, other = dimension.pair(group, measure)
        shown = [] if over else dimension.groups[group].exemplars.get(measure, [])
        metric, unit = _metric(measure)
        said, apart = _in_words(one, other, name, (group, reference), measure)
        if over:
            apart = "no gap can be shown any more"
        cause = f"{said}: {apart}, counted since {clock(dimension.began_at)}"
        return finding(
            self,
            observation,
            metric,
            kind="recovery" if over else "detection",
            segment={"dimension": name, "group": group, "reference": reference},
            value=one.value,
            baseline=other.value,
            unit=unit,
            samples=one.total,
            since_at=dimension.began_at,
            cause=f"{cause}; deployment {observation.deployment}{examples(shown)}",
            exemplars=tuple(shown),
        )

    def _values(self, observation: Observation) -> list[Finding]:
        """Return every group's rates and mean scores, if it is time."""
        if not self._state.values.comes(observation.occurred_at, VALUES_EVERY):
            return []
        return [
            finding(
                self,
                observation,
                _metric(measure)[0],
                kind="value",
                segment={"dimension": name, "group": group},
                value=counted.of(measure).value,
                unit=_metric(measure)[1],
                samples=counted.of(measure).total,
                since_at=dimension.began_at,
            )
            for name, dimension in sorted(self._state.dimensions.items())
            for group, counted in sorted(dimension.groups.items())
            for measure in (*TOLERATED, *TOLERATED_SCORES)
            if counted.of(measure).total >= self._least
        ]

    def snapshot(self) -> Snapshot:
        """Return the whole state as JSON."""
        return dump(self._state)

    def restore(self, snapshot: Snapshot) -> None:
        """Take on the state that :meth:`snapshot` returned."""
        self._state = load(_State, snapshot)


def _metric(measure: str) -> tuple[str, str]:
    """Return the metric and the unit of an outcome or of a guard's scores."""
    if measure in TOLERATED_SCORES:
        return f"{measure}_score", "mean score"
    return f"{measure}_rate", f"share of {_items(measure)}"


def _items(outcome: str) -> str:
    return "requests" if outcome == "blocked" else "answers"


def _in_words(
    one: Rate | BoundedMean,
    other: Rate | BoundedMean,
    name: str,
    groups: tuple[str, str],
    measure: str,
) -> tuple[str, str]:
    """Return what was counted of a group and the reference, and how far apart that is."""
    group, reference = groups
    sure = "(95 %, however often one looks)"
    if isinstance(one, Rate) and isinstance(other, Rate):
        said = (
            f"{percent(one.value)} of {one.total} {_items(measure)} to {name} {group} {measure}, "
            f"{percent(other.value)} of {other.total} to {reference}"
        )
        gap = Gap(one, other)
        points, factors = _points(gap.difference()), _factors(gap.ratio())
        return said, f"the difference is {points} points, the ratio {factors} {sure}"
    said = (
        f"{measure} scores {one.total} texts of {name} {group} {one.value:.3f} on average, "
        f"{other.total} of {reference} {other.value:.3f}"
    )
    low, high = difference(one, other)
    return said, f"the difference is {low:+.3f} to {high:+.3f} {sure}"


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
