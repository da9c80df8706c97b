"""Whether guards score the texts of some groups of people higher than those of others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from monitors.confidence import ALPHA, BoundedMean, Interval
from monitors.group_gaps import (
    DIMENSIONS_MAX,
    GROUP_KEY,
    GROUPS_MAX,
    NAME_CHARS_MAX,
    OTHER_GROUPS,
)
from monitors.harm import Harm
from monitors.monitor import Snapshot, finding
from monitors.state import dump, load
from monitors.tone import Tone
from monitors.turns import Turn
from monitors.wording import clock, examples
from schemas.verdicts import Outcome, TextScanned, Verdict
from schemas.watching import Finding, Observation

VALUES_EVERY = timedelta(minutes=1)
UNDER_WAY_MAX = 500
"""Requests whose groups are remembered until their answers are read."""
EXEMPLARS_MAX = 3
TOLERATED = {Tone.name: 0.02, Harm.name: 0.05}
"""By guard, the difference of two groups' mean scores that is none of our business."""


@dataclass
class _Scored:
    """The scores of one guard; ``exemplars`` are texts of which it spoke."""

    mean: BoundedMean = field(default_factory=BoundedMean)
    exemplars: list[str] = field(default_factory=list)


@dataclass
class _Dimension:
    """Groups that exclude each other; ``told`` are gaps out in the open, and if shown anew."""

    began_at: datetime
    groups: dict[str, dict[str, _Scored]] = field(default_factory=dict)
    reference: str | None = None
    told: dict[str, bool] = field(default_factory=dict)
    texts: int = 0
    fresh: bool = False


@dataclass
class _State:
    under_way: dict[str, dict[str, str]] = field(default_factory=dict)
    dimensions: dict[str, _Dimension] = field(default_factory=dict)
    values: Turn = field(default_factory=Turn)


class GroupScores:
    """Raise a finding when a group's answers are ruder than the largest group's, or less rude.

    Compared are the mean scores, 0 to 1, of the guard ``tone`` over answers and of the guard
    ``harm``, where a policy lists it, over prompts: the latter is a gap of the guard's, whose score
    may follow how a group writes. Applications say which groups a request belongs to, by
    ``group.<dimension>`` in its metadata. A gap is told once the whole interval of the difference,
    which holds at every look, lies beyond what is tolerated: falsely for a pair of groups and a
    guard in one of 10,000 stretches, at most. After each stretch counting begins anew, and a gap
    that could not be shown again is over.

    Args:
        stretch: Texts of a dimension that are counted together.
        least: Texts of a group before it is compared.
        alpha: The chance of a false alarm in one stretch, of one pair and guard.
    """

    name = "group_scores"
    version = "1"

    def __init__(self, stretch: int = 40_000, least: int = 100, alpha: float = 1e-4) -> None:
        self._stretch = stretch
        self._least = least
        self._alpha = alpha
        self._state = _State()

    def observe(self, observation: Observation) -> list[Finding]:
        """Take in the scores of one text, or compare the groups as time passes."""
        if observation.scanned is not None:
            self._scanned(observation.scanned, observation.occurred_at)
        if not observation.is_tick:
            return []
        told: list[Finding] = []
        for name, dimension in sorted(self._state.dimensions.items()):
            told += self._compare(observation, name, dimension)
        return [*told, *self._values(observation)]

    def _scanned(self, scanned: TextScanned, at: datetime) -> None:
        under_way = self._state.under_way
        if groups := _groups(scanned.metadata):
            under_way[scanned.request_id] = groups
            if len(under_way) > UNDER_WAY_MAX:
                del under_way[next(iter(under_way))]
        scores = [v for v in scanned.verdicts if v.guard in TOLERATED]
        scores = [v for v in scores if v.outcome is not Outcome.NOT_SCANNED]
        for name, group in under_way.get(scanned.request_id, {}).items() if scores else ():
            dimensions = self._state.dimensions
            if name in dimensions or len(dimensions) < DIMENSIONS_MAX:
                dimension = dimensions.setdefault(name, _Dimension(at))
                _count(dimension, group, scores, scanned.request_id)
        if any(verdict.guard == Tone.name for verdict in scores):
            under_way.pop(scanned.request_id, None)

    def _compare(
        self, observation: Observation, name: str, dimension: _Dimension
    ) -> Iterator[Finding]:
        """Say which gaps of a dimension have opened, and at the end of a stretch, closed."""
        if not dimension.fresh:
            return
        dimension.fresh = False
        for guard, tolerated in TOLERATED.items():
            means = self._compared(dimension, guard)
            if dimension.reference is None and len(means) > 1:
                dimension.reference = max(sorted(means), key=lambda group: means[group].total)
            reference = means.pop(dimension.reference or "", None)
            if reference is None:
                continue
            for group, mean in sorted(means.items()):
                low, high = _difference(mean, reference, self._alpha)
                if low <= tolerated and high >= -tolerated:
                    continue
                place = f"{guard}/{group}"
                if place not in dimension.told:
                    yield self._say(observation, name, guard, group)
                dimension.told[place] = True
        if dimension.texts >= self._stretch:
            yield from self._turn(observation, name, dimension)

    def _turn(
        self, observation: Observation, name: str, dimension: _Dimension
    ) -> Iterator[Finding]:
        """End a stretch: gaps that it did not show are over, and counting begins anew."""
        for place in sorted(place for place, shown in dimension.told.items() if not shown):
            guard, _, group = place.partition("/")
            yield self._say(observation, name, guard, group, over=True)
        told = {place: False for place, shown in dimension.told.items() if shown}
        began_anew = _Dimension(observation.occurred_at, told=told)
        began_anew.reference = dimension.reference if told else None
        self._state.dimensions[name] = began_anew

    def _compared(self, dimension: _Dimension, guard: str) -> dict[str, BoundedMean]:
        """Return the scores of the groups that are large enough."""
        scored = {name: group[guard].mean for name, group in dimension.groups.items()
                  if guard in group and name != OTHER_GROUPS}  # fmt: skip
        return {name: mean for name, mean in scored.items() if mean.total >= self._least}

    def _say(
        self,
        observation: Observation,
        name: str,
        guard: str,
        group: str,
        over: bool = False,
    ) -> Finding:
        dimension = self._state.dimensions[name]
        reference = dimension.reference or ""
        scored, other = (dimension.groups.get(one, {}).get(guard, _Scored()) for one in
                         (group, reference))  # fmt: skip
        low, high = _difference(scored.mean, other.mean)
        shown = [] if over else scored.exemplars
        said = (
            f"{guard} scores {scored.mean.total} texts of {name} {group} {scored.mean.value:.3f} "
            f"on average, {other.mean.total} of {reference} {other.mean.value:.3f}"
        )
        if over:
            said += ": no gap can be shown any more"
        else:
            said += f": the difference is {low:+.3f} to {high:+.3f} (95 %, however often one looks)"
        return finding(
            self,
            observation,
            f"{guard}_score",
            kind="recovery" if over else "detection",
            segment={"dimension": name, "group": group, "reference": reference},
            value=scored.mean.value,
            baseline=other.mean.value,
            unit="mean score",
            samples=scored.mean.total,
            since_at=dimension.began_at,
            cause=(
                f"{said}, counted since {clock(dimension.began_at)}; "
                f"deployment {observation.deployment}{examples(shown)}"
            ),
            exemplars=tuple(shown),
        )

    def _values(self, observation: Observation) -> Iterator[Finding]:
        """Yield every group's mean scores, if it is time."""
        state = self._state
        if not state.values.comes(observation.occurred_at, VALUES_EVERY):
            return
        for name, dimension in sorted(state.dimensions.items()):
            for guard in TOLERATED:
                for group, mean in sorted(self._compared(dimension, guard).items()):
                    yield finding(
                        self,
                        observation,
                        f"{guard}_score",
                        kind="value",
                        segment={"dimension": name, "group": group},
                        value=mean.value,
                        unit="mean score",
                        samples=mean.total,
                        since_at=dimension.began_at,
                    )

    def snapshot(self) -> Snapshot:
        """Return the whole state as JSON."""
        return dump(self._state)

    def restore(self, snapshot: Snapshot) -> None:
        """Take on the state that :meth:`snapshot` returned."""
        self._state = load(_State, snapshot)


def _groups(metadata: Mapping[str, str]) -> dict[str, str]:
    """Return the groups of a request by dimension."""
    named = {key.removeprefix(GROUP_KEY): value for key, value in sorted(metadata.items())
             if key.startswith(GROUP_KEY)}  # fmt: skip
    kept = {name: value if len(value) <= NAME_CHARS_MAX else OTHER_GROUPS
            for name, value in named.items() if len(name) <= NAME_CHARS_MAX}  # fmt: skip
    return dict(list(kept.items())[:DIMENSIONS_MAX])


def _count(dimension: _Dimension, name: str, scores: list[Verdict], request_id: str) -> None:
    followed = name in dimension.groups or len(dimension.groups) < GROUPS_MAX
    group = dimension.groups.setdefault(name if followed else OTHER_GROUPS, {})
    dimension.fresh = True
    dimension.texts += 1
    for verdict in scores:
        scored = group.setdefault(verdict.guard, _Scored())
        scored.mean.add(verdict.score)
        if verdict.outcome is not Outcome.PASS:
            scored.exemplars = [request_id, *scored.exemplars][:EXEMPLARS_MAX]


def _difference(one: BoundedMean, other: BoundedMean, alpha: float = ALPHA) -> Interval:
    """Return an interval for the difference of two means: both hold together."""
    first, second = one.interval(alpha / 2), other.interval(alpha / 2)
    return first[0] - second[1], first[1] - second[0]
