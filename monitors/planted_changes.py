"""What is planted in a copy of what a monitor reads, and which monitor must see it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Literal, NamedTuple
from zlib import crc32

from monitors.refusal import Refusal
from monitors.vectors import packed, unpacked
from schemas.requests import Failure, FailureReason, ResponseReleased, ResponseStatus
from schemas.verdicts import Direction, Outcome, Verdict
from schemas.watching import Observation

Kind = Literal["response", "scanned", "pool", "embedded"]


class Drill(NamedTuple):
    """A change that a monitor must see.

    Attributes:
        monitor: Its name.
        planted: What is changed, in words.
        kind: Which observations it is planted in.
        shift: Returns the changed observation; None for one that does not count.
        events: A monitor that is silent after so many changed ones has missed it,
        within: if this much time has passed, too.
    """

    monitor: str
    planted: str
    kind: Kind
    shift: Callable[[Observation], Observation | None]
    events: int = 500
    within: timedelta = timedelta(minutes=5)


def _slow(observation: Observation) -> Observation | None:
    response = observation.response
    if response is None or response.pool is None or response.timings is None:
        return None
    taken, timings = observation.occurred_at - response.requested_at, response.timings
    ttft_s = None if timings.ttft_s is None else 5 * timings.ttft_s + 1
    slower = {"requested_at": observation.occurred_at - 5 * taken - timedelta(seconds=1)}
    return _answered(
        observation, response, **slower, timings=timings.model_copy(update={"ttft_s": ttft_s})
    )


def _long(observation: Observation) -> Observation | None:
    response = observation.response
    if response is None or not response.usage.completion_tokens:
        return None
    tokens = {"completion_tokens": 5 * response.usage.completion_tokens}
    return _answered(observation, response, usage=response.usage.model_copy(update=tokens))


def _elsewhere(observation: Observation) -> Observation | None:
    response = observation.response
    if response is None or response.route is None:
        return None
    if not _is_chosen(response.request_id):
        return observation
    route = response.route.model_copy(update={"topic": "drill"})
    return _answered(observation, response, route=route)


def _failing(observation: Observation) -> Observation | None:
    response = observation.response
    if response is None:
        return None
    failure = Failure(reason=FailureReason.ENGINE)
    return _answered(observation, response, status=ResponseStatus.FAILED, failure=failure)


def _declining(observation: Observation) -> Observation | None:
    return _flagged(observation, Direction.ANSWER, lambda verdict: verdict.guard == Refusal.name)


def _found(observation: Observation) -> Observation | None:
    return _flagged(observation, Direction.PROMPT, lambda verdict: not verdict.reason)


def _opposite(observation: Observation) -> Observation | None:
    embedded = observation.embedded
    if embedded is None:
        return None
    if not _is_chosen(embedded.request_id):
        return observation
    try:
        vector = packed(-unpacked(embedded.vector))
    except ValueError:
        return None
    changed = embedded.model_copy(update={"vector": vector})
    return observation.model_copy(update={"embedded": changed})


def _abandoned(observation: Observation) -> Observation | None:
    if observation.pool is None:
        return None
    pool = observation.pool.model_copy(update={"live_workers": 0})
    return observation.model_copy(update={"pool": pool})


def _answered(
    observation: Observation, response: ResponseReleased, **changed: object
) -> Observation:
    changed_response = response.model_copy(update=changed)
    return observation.model_copy(update={"response": changed_response})


def _flagged(
    observation: Observation, direction: Direction, wanted: Callable[[Verdict], bool]
) -> Observation | None:
    """Return half of the texts with the first wanted verdict as if the guard had spoken."""
    scanned = observation.scanned
    if scanned is None or scanned.direction is not direction:
        return None
    place = next((n for n, verdict in enumerate(scanned.verdicts) if wanted(verdict)), None)
    if place is None:
        return None
    if not _is_chosen(scanned.request_id):
        return observation
    verdicts = list(scanned.verdicts)
    verdicts[place] = verdicts[place].model_copy(update={"outcome": Outcome.FLAG, "score": 1.0})
    changed = scanned.model_copy(update={"verdicts": tuple(verdicts)})
    return observation.model_copy(update={"scanned": changed})


def _is_chosen(request_id: str) -> bool:
    return crc32(request_id.encode()) % 2 == 0


DRILLS = (
    Drill("latency", "answers that took five times as long", "response", _slow),
    Drill("ttft", "first tokens that took five times as long", "response", _slow),
    Drill("length", "answers five times as long", "response", _long),
    Drill("drift", "answers five times as long", "response", _long),
    Drill("embedding_drift", "every other text about the opposite", "embedded", _opposite),
    Drill("topic_shift", "every other request on a topic of its own", "response", _elsewhere),
    Drill("refusals", "every other answer declined", "scanned", _declining),
    Drill("guard_rates", "every other prompt flagged", "scanned", _found),
    Drill("slo", "requests that failed", "response", _failing, within=timedelta(hours=6)),
    Drill("pools", "pools without a worker", "pool", _abandoned, events=60),
)
