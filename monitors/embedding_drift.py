"""What prompts and answers are about, and that it is no longer what it was."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import JsonValue

from monitors.drift.embedding import STRANGE
from monitors.drift.learning import Vectors
from monitors.drift.repeated import MARGIN, Repeated, RepeatedAlarms, Told
from monitors.following import Follower, described
from monitors.monitor import Snapshot, finding
from monitors.state import dump, load
from monitors.vectors import unpacked
from monitors.wording import clock, examples
from schemas.embeddings import TextEmbedded
from schemas.verdicts import Direction
from schemas.watching import Finding, Observation

SERIES = {
    Direction.PROMPT.value: "prompt_embedding",
    Direction.ANSWER.value: "answer_embedding",
}
QUIET = 1e7
"""Texts of a series between false findings, on average, at least."""
_DAY_S = 86_400.0
_BRIEF_S = 60.0
"""Texts are counted over so much time at least before it is said how many come a day."""


@dataclass
class _Cost:
    """Of the texts of one series since that was last stated."""

    texts: int = 0
    share: float = 0.0
    latency_ms: float = 0.0


@dataclass
class _State:
    follower: Snapshot = field(default_factory=dict)
    repeated: dict[str, Repeated] = field(default_factory=dict)
    costs: dict[str, _Cost] = field(default_factory=dict)


class EmbeddingShift:
    """Raise a finding when prompts or answers are about other things than they were.

    The first conversations of a version of the deployment say what is usual, of prompts and of
    answers (:mod:`monitors.drift.embedding`); a conversation counts with its first text. A single
    alarm of the charts says little, as one comes every ``arl`` texts without drift; it shows in the
    level that is stated twice a minute. A finding is raised when alarms repeat so fast that without
    drift it happens at most once in ``quiet`` texts, on average: twelve days at ten texts a second.
    It names the topics that grew and the requests at which alarms came, and ends once a whole run
    length passes without one. Where the reference cannot promise its run length, levels are stated
    with the reason and no finding is raised.

    The share of conversations that are embedded and what that costs are stated beside the levels.

    Args:
        warmup: Conversations that say what is usual.
        arl: Texts between single alarms of a series, on average.
        quiet: Texts of a series between false findings, on average, at least.
    """

    name = "embedding_drift"
    version = "1"

    def __init__(self, warmup: int = 1000, arl: float = 2000, quiet: float = QUIET) -> None:
        self._arl = arl
        self._quiet = quiet
        self._follower = Follower(self, dict.fromkeys(SERIES.values(), Vectors()), warmup, arl)
        self._state = _State()

    def observe(self, observation: Observation) -> list[Finding]:
        """Take in one text, or state the levels when it is time."""
        if observation.reset is not None:
            return self._renewed(observation, self._follower.reset(observation))
        embedded = observation.embedded
        if embedded is None:
            levels = self._follower.levels(observation)
            return [*levels, *self._costs(observation)] if levels else []
        try:
            width = len(unpacked(embedded.vector))
        except ValueError:
            return []
        # Vectors of another model or width lie in another space, as if of another version.
        version = f"{embedded.deployment_version} by {embedded.model}/{width}"
        counts, findings = self._follower.serves(observation, version)
        findings = self._renewed(observation, findings)
        if not counts:
            return findings
        series = SERIES[embedded.direction.value]
        cost = self._state.costs.setdefault(series, _Cost())
        cost.texts += 1
        cost.share += embedded.share
        cost.latency_ms += embedded.latency_ms
        conversation = embedded.conversation_id
        if self._follower.is_new(conversation and f"{series}/{conversation}"):
            findings += self._take(observation, series, embedded)
        return findings

    def _take(self, observation: Observation, series: str, embedded: TextEmbedded) -> list[Finding]:
        watched = self._follower.reference(series).learned
        item: list[JsonValue] = [embedded.vector, embedded.topic or ""]
        alarm, findings = self._follower.take(observation, series, item, embedded.request_id)
        promise = self._follower.promise(series)
        if not watched or promise is None or not promise.kept:
            return findings
        alarms = RepeatedAlarms(
            self._state.repeated.setdefault(series, Repeated()), self._arl, self._quiet
        )
        told = alarms.saw(alarm, observation.occurred_at, embedded.request_id)
        if told:
            findings.append(self._say(observation, series, told))
        if told == "recovery":
            del self._state.repeated[series]
        return findings

    def _renewed(self, observation: Observation, ended: list[Finding]) -> list[Finding]:
        """Return ``ended``, and the ends of what was told against those references."""
        findings = list(ended)
        for series in [one.segment["series"] for one in ended]:
            if series in self._state.repeated and self._state.repeated[series].told:
                findings.append(self._say(observation, series, "recovery", anew=True))
            self._state.repeated.pop(series, None)
        return findings

    def _say(
        self, observation: Observation, series: str, kind: Told, *, anew: bool = False
    ) -> Finding:
        alarms = self._state.repeated[series]
        over = kind == "recovery"
        return finding(
            self,
            observation,
            "embedding_drift",
            kind=kind,
            segment={"series": series},
            value=0.0 if over else alarms.alarms * self._arl / alarms.events,
            baseline=1.0,
            unit="times as many alarms as without drift",
            samples=alarms.events,
            e_value=None if over else self._e_value(alarms, observation.occurred_at),
            since_at=alarms.since_at,
            cause=self._cause(observation, series, alarms, over, anew),
            exemplars=tuple(alarms.exemplars),
        )

    def _cause(
        self, observation: Observation, series: str, alarms: Repeated, over: bool, anew: bool
    ) -> str:
        reference = self._follower.reference(series)
        texts = f"{series.removesuffix('_embedding')}s"
        where = f"deployment {observation.deployment}"
        if anew:
            return f"{texts} are compared with a new reference from now on; {where}"
        if over:
            quiet = f"no alarm in {alarms.gap:,} conversations"
            return (
                f"{texts} are about the same again as in {described(reference)}: {quiet}; {where}"
            )
        strange = alarms.charts.get(STRANGE, 0) * 2 > alarms.alarms
        what = "unlike any" if strange else "in another mix than"
        named = RepeatedAlarms(alarms, self._arl, self._quiet).named()
        grown = f"{', nearest' if strange else ', grown'}: {', '.join(named)}" if named else ""
        return (
            f"{texts} are {what} in {described(reference)}{grown}; since "
            f"{clock(alarms.since_at or observation.occurred_at)} {alarms.alarms} alarms in "
            f"{alarms.events:,} conversations; without drift one comes in {self._arl:,.0f}, and so "
            f"many so fast at most once in {self._quiet:,.0f}; {where}{examples(alarms.exemplars)}"
        )

    def _e_value(self, alarms: Repeated, at: datetime) -> float:
        """Return the evidence on the scale of days: beyond 1 / a on at most a share a of them."""
        elapsed_s = (at - (alarms.watched_since_at or at)).total_seconds()
        a_day = alarms.watched * _DAY_S / max(_BRIEF_S, elapsed_s)
        return alarms.evidence / max(1.0, a_day / (self._arl / MARGIN))

    def _costs(self, observation: Observation) -> list[Finding]:
        """Return which share of the conversations is embedded, and what a text costs."""
        findings = []
        for series, cost in self._state.costs.items():
            for metric, total, unit in (
                ("embedded_share", cost.share, "share of conversations"),
                ("embedding_ms", cost.latency_ms, "ms a text"),
            ):
                findings.append(
                    finding(
                        self,
                        observation,
                        metric,
                        kind="value",
                        segment={"series": series},
                        value=total / cost.texts,
                        unit=unit,
                        samples=cost.texts,
                    )
                )
        self._state.costs = {}
        return findings

    def learned(self) -> Mapping[str, Callable[[], Snapshot]]:
        """Return what was learned, in parts that never change."""
        return self._follower.learned()

    def snapshot(self) -> Snapshot:
        """Return the state as JSON."""
        self._state.follower = self._follower.snapshot()
        return dump(self._state)

    def relearn(self, parts: Mapping[str, Snapshot]) -> None:
        """Take in stored parts, for the snapshot that is restored next."""
        self._follower.relearn(parts)

    def restore(self, snapshot: Snapshot) -> None:
        """Take on the state that :meth:`snapshot` returned."""
        self._state = load(_State, snapshot)
        self._follower.restore(self._state.follower)
