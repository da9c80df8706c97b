"""Whether each mishap raised the alert that names its cause, and none came before the first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from schemas.base import Labels
from schemas.watching import AlertChanged

GRACE = timedelta(seconds=30)
"""How long after the last answer of an episode its alert may still come."""


@dataclass(frozen=True)
class Expected:
    """The alert that an episode must raise.

    Args:
        monitors: Whose it may be.
        segment: What its segment must say, and may say more.
        words: Its cause must name one of these.
    """

    monitors: tuple[str, ...]
    segment: Labels = field(default_factory=dict)
    words: tuple[str, ...] = ()

    def is_met_by(self, alert: AlertChanged) -> bool:
        """Return whether ``alert`` names this cause."""
        return (
            alert.monitor in self.monitors
            and self.segment.items() <= alert.segment.items()
            and (not self.words or any(word in alert.cause for word in self.words))
        )


EXPECTED: Mapping[str, Expected] = {
    "injection": Expected(("guard_rates",), {"guard": "injection", "direction": "prompt"}),
    "topics": Expected(("topic_shift",), words=("grown: ",)),
    "pasting": Expected(
        ("guard_rates",), {"guard": "pii", "direction": "prompt"}, ("CARD", "IBAN")
    ),
    "slow": Expected(("latency", "ttft")),
}
"""By the name of the episode's phase."""


@dataclass(frozen=True)
class Raised:
    """An alert that fired; ``appended_at`` is the broker's time of it."""

    alert: AlertChanged
    appended_at: datetime


@dataclass(frozen=True)
class Window:
    """When a phase was, by the broker's time: from its first request to its last answer."""

    phase: str
    began_at: datetime
    ended_at: datetime


@dataclass(frozen=True)
class Episode:
    """An episode and the alert it raised, if it did."""

    window: Window
    raised: Raised | None

    @property
    def delay_s(self) -> float | None:
        """How long after the episode began its alert was there."""
        if self.raised is None:
            return None
        return (self.raised.appended_at - self.window.began_at).total_seconds()


@dataclass(frozen=True)
class Judgement:
    """What the alerts of a run say.

    Args:
        episodes: Each that was played, in order.
        early: Alerts about what happened before the first episode; there must be none.
        beside: Alerts that no episode was expected to raise, such as those of its side effects.
    """

    episodes: tuple[Episode, ...]
    early: tuple[Raised, ...]
    beside: tuple[Raised, ...]

    @property
    def passed(self) -> bool:
        """Whether every episode has its alert, and none came before."""
        return not self.early and all(episode.raised for episode in self.episodes)


def judge(windows: Sequence[Window], raised: Sequence[Raised]) -> Judgement:
    """Return what alerts say about the phases of a run.

    An alert belongs to an episode if what it is about happened since the episode began and it came
    no later than :data:`GRACE` after the episode's last answer.

    Args:
        windows: The phases so far, in order.
        raised: The alerts that fired, in order.
    """
    played = [window for window in windows if window.phase in EXPECTED]
    episodes = tuple(Episode(window, _first(window, raised)) for window in played)
    told = [episode.raised for episode in episodes]
    others = [alert for alert in raised if alert not in told]
    early = [one for one in others if not played or one.alert.fired_at < played[0].began_at]
    beside = [one for one in others if one not in early]
    return Judgement(episodes, tuple(early), tuple(beside))


def _first(window: Window, raised: Sequence[Raised]) -> Raised | None:
    for one in raised:
        in_time = (
            one.alert.fired_at >= window.began_at and one.appended_at <= window.ended_at + GRACE
        )
        if in_time and EXPECTED[window.phase].is_met_by(one.alert):
            return one
    return None
