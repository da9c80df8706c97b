"""What customers ask about: topics that take a larger share than they did at first."""

from __future__ import annotations

from dataclasses import dataclass

from monitors.monitor import Snapshot, finding
from monitors.rates import RateShift, Shift
from monitors.shares import RARE, Shares
from monitors.state import dump, load
from monitors.wording import clock, examples, percent
from schemas.watching import Finding, Observation

_RARE_SHARE = 0.03
_DEPENDENCE = 2.0
"""Customers ask again about the same thing: two requests in a row say as little as one."""
_RISING = 0.1
"""A topic is named in a finding once it has this share of the evidence for one of its own."""


@dataclass
class _State:
    shares: Shares
    told: str | None = None


class TopicShift:
    """Raise a finding when topics grow far beyond their share of the first requests.

    Every topic's share is watched by itself, and together those that hardly occurred at first. The
    one that first leaves the usual speaks for all that grow with it, and the end is told once all
    of them are back. A topic that shrinks makes others grow. For false alarms see
    :class:`monitors.rates.RateShift`.

    Args:
        warmup: Requests that say what is usual.
        odds: The factor on the odds of a topic's usual share that the monitor is tuned to.
        arl: Requests between false alarms of one topic, on average, at least.
    """

    name = "topic_shift"
    version = "2"

    def __init__(self, warmup: int = 200, odds: float = 10.0, arl: float = 1_000_000) -> None:
        self._state = _State(
            Shares(warmup, odds=odds, arl=arl, dependence=_DEPENDENCE, rare_share=_RARE_SHARE)
        )

    def observe(self, observation: Observation) -> list[Finding]:
        """Take in the topic of one request; say whether the mix left the usual or came back."""
        response = observation.response
        if response is None or response.route is None:
            return []
        shares, at = self._state.shares, observation.occurred_at
        shifts = shares.observe((response.route.topic,), at, response.request_id)
        told = []
        for topic, shift in shifts:
            if shift.kind == "detection" and self._state.told is None:
                self._state.told = topic
                told.append(self._grown(observation, topic, shift, shifts))
            elif shift.kind == "value" and self._state.told == topic:
                told.append(self._grown(observation, topic, shift, shifts))
            elif shift.kind == "recovery" and self._state.told is not None and shares.usual:
                told.append(self._back(observation, self._state.told, shift))
                self._state.told = None
        return told

    def _grown(
        self,
        observation: Observation,
        topic: str,
        shift: Shift,
        shifts: list[tuple[str, Shift]],
    ) -> Finding:
        rates = self._state.shares.rates
        now = {name: rate.hits / rate.samples for name, rate in rates.items() if _rising(rate)}
        now |= {name: other.rate for name, other in shifts}
        largest = sorted(now.keys() - {RARE}, key=lambda name: (-now[name], name))[:4]
        grown = ", ".join(
            f"{name} {percent(now[name])} ({percent(rates[name].baseline)})" for name in largest
        )
        return self._say(
            observation,
            topic,
            shift,
            f"{percent(shift.rate)} of requests were about {_named(topic)} over the last "
            f"{shift.samples} ({percent(rates[topic].baseline)} in the first "
            f"{self._state.shares.warmup}), since {clock(shift.since_at)}"
            f"{f'; grown: {grown}' if grown else ''}",
        )

    def _back(self, observation: Observation, topic: str, shift: Shift) -> Finding:
        return self._say(
            observation,
            topic,
            shift,
            f"topics are back to their shares of the first {self._state.shares.warmup} requests",
        )

    def _say(self, observation: Observation, topic: str, shift: Shift, cause: str) -> Finding:
        rate = self._state.shares.rates[topic]
        return finding(
            self,
            observation,
            "topic_share",
            kind=shift.kind,
            value=shift.rate,
            limit=rate.usual,
            baseline=rate.baseline,
            unit=f"share of requests about {_named(topic)}",
            samples=shift.samples,
            since_at=shift.since_at,
            e_value=shift.e_value,
            cause=f"{cause}; deployment {observation.deployment}{examples(shift.exemplars)}",
            exemplars=shift.exemplars,
        )

    def snapshot(self) -> Snapshot:
        """Return the whole state as JSON."""
        return dump(self._state)

    def restore(self, snapshot: Snapshot) -> None:
        """Take on the state that :meth:`snapshot` returned."""
        self._state = load(_State, snapshot)


def _named(topic: str) -> str:
    return "topics rare at first" if topic == RARE else topic


def _rising(rate: RateShift) -> bool:
    """Return whether a topic grows, though not yet enough for a finding of its own."""
    return not rate.firing and rate.hits > 1 and rate.progress >= _RISING
