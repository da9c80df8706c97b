"""Groups of people that requests name, and what is counted of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from monitors.confidence import BoundedMean, Rate

GROUP_KEY = "group."
"""Before a dimension's name in the metadata of requests, as in ``group.age: 65+``."""
DIMENSIONS_MAX = 4
GROUPS_MAX = 12
NAME_CHARS_MAX = 64
OTHER_GROUPS = "other"
"""Stands for groups of a dimension beyond the first :data:`GROUPS_MAX`, or of too long a name."""
EXEMPLARS_MAX = 3


@dataclass
class Group:
    """How often what became of a group's requests, and how guards scored its texts."""

    rates: dict[str, Rate] = field(default_factory=dict)
    scores: dict[str, BoundedMean] = field(default_factory=dict)
    exemplars: dict[str, list[str]] = field(default_factory=dict)

    def count(self, outcome: str, hit: bool, request_id: str) -> None:
        """Count whether a request came to ``outcome``."""
        self.rates.setdefault(outcome, Rate()).add(hit)
        if hit:
            self._show(outcome, request_id)

    def score(self, guard: str, score: float, spoke: bool, request_id: str) -> None:
        """Count what ``guard`` scored a text, 0 to 1, and show it if the guard spoke."""
        self.scores.setdefault(guard, BoundedMean()).add(score)
        if spoke:
            self._show(guard, request_id)

    def _show(self, measure: str, request_id: str) -> None:
        kept = self.exemplars.get(measure, [])
        self.exemplars[measure] = [request_id, *kept][:EXEMPLARS_MAX]

    def of(self, measure: str) -> Rate | BoundedMean:
        """Return what was counted of an outcome or of a guard's scores."""
        return self.rates.get(measure) or self.scores.get(measure) or Rate()

    @property
    def total(self) -> int:
        """How many requests, or texts if there are more of them."""
        counted: list[Rate | BoundedMean] = [*self.rates.values(), *self.scores.values()]
        return max((each.total for each in counted), default=0)


@dataclass
class Dimension:
    """Groups that exclude each other; ``told`` are gaps out in the open, and if shown anew."""

    began_at: datetime
    groups: dict[str, Group] = field(default_factory=dict)
    reference: str | None = None
    told: dict[str, bool] = field(default_factory=dict)
    fresh: bool = False

    @property
    def total(self) -> int:
        """How many requests of all groups."""
        return sum(group.total for group in self.groups.values())

    def group(self, name: str) -> Group:
        """Return the group of this name, or the one that stands for all others."""
        followed = name in self.groups or len(self.groups) < GROUPS_MAX
        return self.groups.setdefault(name if followed else OTHER_GROUPS, Group())

    def pair(self, group: str, measure: str) -> tuple[Rate | BoundedMean, Rate | BoundedMean]:
        """Return what was counted of a group and of the reference."""
        known = (self.groups.get(name, Group()) for name in (group, self.reference or ""))
        one, other = (each.of(measure) for each in known)
        return one, other


def groups_of(metadata: Mapping[str, str]) -> dict[str, str]:
    """Return the groups that a request names, by dimension.

    >>> groups_of({"group.age": "65+", "channel": "app", "group.origin": "x" * 100})
    {'age': '65+', 'origin': 'other'}
    """
    named = (
        (key.removeprefix(GROUP_KEY), value)
        for key, value in sorted(metadata.items())
        if key.startswith(GROUP_KEY)
    )
    kept = [
        (name, value if len(value) <= NAME_CHARS_MAX else OTHER_GROUPS)
        for name, value in named
        if len(name) <= NAME_CHARS_MAX
    ]
    return dict(kept[:DIMENSIONS_MAX])
