"""Whether answers are good: as far as people rate them, and estimated for all the others."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import exp
from typing import NamedTuple

from monitors.confidence import Rate
from monitors.monitor import Snapshot, finding
from monitors.quality import Calibration, EstimatedQuality, fit_calibration
from monitors.state import dump, load
from monitors.turns import Turn
from monitors.wording import clock, percent
from schemas.improving import FeedbackReceived
from schemas.requests import ResponseReleased
from schemas.watching import Finding, Observation

RECENT_MAX = 300
GOOD_RATING, BAD_RATING = 4, 2
VALUES_EVERY = timedelta(minutes=1)


class _Answer(NamedTuple):
    """How sure the model was of an answer, and what it was about."""

    confidence: float
    topic: str


@dataclass
class _State:
    """``recent`` are answers that may still be rated; ``learned`` those that say what is usual.

    ``rated`` counts the ratings of this stretch, ``estimated`` is what all of its answers come to.
    """

    recent: dict[str, _Answer] = field(default_factory=dict)
    learned: list[tuple[_Answer, bool]] = field(default_factory=list)
    calibration: Calibration | None = None
    usual: Rate = field(default_factory=Rate)
    rated: Rate = field(default_factory=Rate)
    estimated: Snapshot = field(default_factory=dict)
    since_at: datetime | None = None
    values: Turn = field(default_factory=Turn)
    told: bool = False
    shown: bool = False


class AnswerQuality:
    """Raise a finding when fewer answers are good than at first, by ratings and without them.

    A rating of 4 or 5 says that an answer is good, one of 1 or 2 that it is not. The first rated
    answers show what the model's confidence, the mean probability of its tokens, is worth; from
    then on the share of good ones among all answers is estimated, and corrected by what is rated,
    see :class:`monitors.quality.EstimatedQuality`. A finding comes once the whole interval of the
    estimate lies below that of the first ratings. Only people who rate are asked: what is said is
    about answers as they would rate them. After each stretch counting begins anew.

    Args:
        warmup: Rated answers that say what is usual.
        stretch: Answers that are counted together.
        alpha: The chance that an interval is wrong in one stretch, if ratings come at random.
    """

    name = "answer_quality"
    version = "1"

    def __init__(self, warmup: int = 200, stretch: int = 10_000, alpha: float = 1e-3) -> None:
        self._warmup = warmup
        self._stretch = stretch
        self._alpha = alpha
        self._state = _State()
        self._estimated: EstimatedQuality | None = None

    def observe(self, observation: Observation) -> list[Finding]:
        """Take in an answer or a rating; as time passes, say how good the answers are."""
        if observation.response is not None:
            self._answered(observation.response, observation.occurred_at)
        elif observation.rated is not None:
            self._rated(observation.rated, observation.occurred_at)
        elif observation.is_tick and self._estimated is not None:
            return [*self._look(observation, self._estimated), *self._values(observation)]
        return []

    def _answered(self, response: ResponseReleased, at: datetime) -> None:
        state = self._state
        if response.mean_logprob is None or response.failure is not None:
            return
        topic = response.route.topic if response.route else ""
        answer = _Answer(round(min(1.0, exp(response.mean_logprob)), 4), topic)
        state.recent[response.request_id] = answer
        if len(state.recent) > RECENT_MAX:
            del state.recent[next(iter(state.recent))]
        if self._estimated is not None:
            self._estimated.observe(answer.confidence)
            state.since_at = state.since_at or at

    def _rated(self, feedback: FeedbackReceived, at: datetime) -> None:
        state = self._state
        answer = state.recent.pop(feedback.request_id, None)
        if feedback.rating is None or BAD_RATING < feedback.rating < GOOD_RATING:
            return
        good = feedback.rating >= GOOD_RATING
        if self._estimated is not None:
            state.rated.add(good)
            if answer is not None:
                self._estimated.label(answer.confidence, good)
        elif answer is not None:
            state.learned.append((answer, good))
            if len(state.learned) == self._warmup:
                self._learn()

    def _learn(self) -> None:
        state = self._state
        answers = [answer for answer, _ in state.learned]
        good = [hit for _, hit in state.learned]
        state.usual = Rate(sum(good), len(good))
        state.calibration = fit_calibration(
            [answer.confidence for answer in answers], good, [answer.topic for answer in answers]
        )
        state.learned = []
        self._estimated = EstimatedQuality(state.calibration)

    def _look(self, observation: Observation, estimated: EstimatedQuality) -> list[Finding]:
        """Say whether answers are worse than usual, or after a whole stretch, not any more."""
        state, told = self._state, []
        found = estimated.estimate(self._alpha)
        if found.interval[1] < state.usual.interval(self._alpha)[0]:
            if not state.told:
                told.append(self._say(observation, estimated, over=False))
            state.told = state.shown = True
        if found.answers >= self._stretch:
            if state.told and not state.shown:
                told.append(self._say(observation, estimated, over=True))
                state.told = False
            state.shown = False
            state.rated, state.since_at = Rate(), None
            self._estimated = EstimatedQuality(estimated.calibration)
        return told

    def _say(self, observation: Observation, estimated: EstimatedQuality, over: bool) -> Finding:
        state, found = self._state, estimated.estimate()
        low, high = found.interval
        since_at = state.since_at or observation.occurred_at
        said = (
            f"an estimated {percent(found.value)} of {found.answers} answers are good "
            f"({percent(low)} to {percent(high)}, {found.labels} of them rated), "
            f"{percent(state.usual.value)} of the first {state.usual.total} that were rated"
        )
        cause = f"{said}: not shown to be fewer any more" if over else said
        return finding(
            self,
            observation,
            "good_rate_estimated",
            kind="recovery" if over else "detection",
            value=found.value,
            limit=state.usual.interval(self._alpha)[0],
            baseline=state.usual.value,
            unit="share of answers",
            samples=found.answers,
            since_at=since_at,
            cause=(
                f"{cause}; counted since {clock(since_at)}; deployment {observation.deployment}"
            ),
        )

    def _values(self, observation: Observation) -> list[Finding]:
        """Return the share of good answers, estimated and as rated, if it is time."""
        state, at = self._state, observation.occurred_at
        if self._estimated is None or not state.values.comes(at, VALUES_EVERY):
            return []
        found = self._estimated.estimate()
        shares = {
            "good_rate_estimated": (found.value, found.answers),
            "good_rate_as_rated": (state.rated.value, state.rated.total),
        }
        return [
            finding(
                self,
                observation,
                metric,
                kind="value",
                value=value,
                baseline=state.usual.value,
                unit="share of answers",
                samples=samples,
                since_at=state.since_at,
            )
            for metric, (value, samples) in shares.items()
            if samples
        ]

    def snapshot(self) -> Snapshot:
        """Return the whole state as JSON."""
        self._state.estimated = self._estimated.snapshot() if self._estimated else {}
        return dump(self._state)

    def restore(self, snapshot: Snapshot) -> None:
        """Take on the state that :meth:`snapshot` returned."""
        self._state = load(_State, snapshot)
        self._estimated = None
        if self._state.calibration is not None:
            self._estimated = EstimatedQuality(self._state.calibration)
            self._estimated.restore(self._state.estimated)
