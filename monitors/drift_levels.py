"""How far a deployment's requests have moved from its first ones: lengths, certainty, topics."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from monitors.drift.learning import Categories, Numbers
from monitors.following import Follower
from monitors.monitor import Snapshot
from schemas.requests import ResponseReleased
from schemas.watching import Finding, Observation

NUMBERS: dict[str, Callable[[ResponseReleased], float | None]] = {
    "prompt_chars": lambda response: response.prompt_chars or None,
    "answer_tokens": lambda response: response.usage.completion_tokens or None,
    "mean_logprob": lambda response: response.mean_logprob,
}
CATEGORIES: dict[str, Callable[[ResponseReleased], str | None]] = {
    "topic": lambda response: response.route.topic if response.route else None,
    "outcome": lambda response: response.status.value,
}


class DriftLevels:
    """State twice a minute how far requests have moved from the first; it never alerts by itself.

    Followed are lengths of prompts and answers, the answers' mean log-probability, topics and
    outcomes, each by a chart whose limit stands for the stated average run length without drift. A
    value is the chart's highest level since the last, its limit being 1; beyond that the finding
    says what moved, with the requests at which it did, and the chart starts afresh. A conversation
    counts with its first event alone. Another version of the deployment is another beginning.

    Args:
        warmup: Events that say what is usual.
        arl: Events of a series between false alarms, on average.
    """

    name = "drift"
    version = "2"

    def __init__(self, warmup: int = 500, arl: float = 1000) -> None:
        learners = dict.fromkeys(NUMBERS, Numbers()) | dict.fromkeys(CATEGORIES, Categories())
        self._follower = Follower(self, learners, warmup, arl)

    def observe(self, observation: Observation) -> list[Finding]:
        """Take in one response, or state the levels when it is time."""
        response = observation.response
        if observation.reset is not None:
            return self._follower.reset(observation)
        if response is None:
            return self._follower.levels(observation)
        if response.served is None:
            return []
        counts, findings = self._follower.serves(observation, response.served.deployment_version)
        if not counts or not self._follower.is_new(response.served.conversation_id):
            return findings
        for name, read in (NUMBERS | CATEGORIES).items():
            value = read(response)
            if value is not None:
                findings += self._follower.take(observation, name, value, response.request_id)[1]
        return findings

    def learned(self) -> dict[str, Callable[[], Snapshot]]:
        """Return what was learned, in parts that never change."""
        return self._follower.learned()

    def snapshot(self) -> Snapshot:
        """Return the state as JSON."""
        return self._follower.snapshot()

    def relearn(self, parts: Mapping[str, Snapshot]) -> None:
        """Take in stored parts, for the snapshot that is restored next."""
        self._follower.relearn(parts)

    def restore(self, snapshot: Snapshot) -> None:
        """Take on the state that :meth:`snapshot` returned."""
        self._follower.restore(snapshot)
