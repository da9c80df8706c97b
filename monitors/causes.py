"""The cause of a finding: where in the traffic it sits, since when, and what else changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from monitors.attribution import Flags, Floats, Items, Kind, Segment, attribute
from monitors.change_point import change_point
from monitors.changes import Changes
from monitors.monitor import Snapshot
from monitors.request_memory import RequestMemory, at_time
from monitors.wording import clock, percent
from schemas.improving import DeploymentChanged
from schemas.requests import ResponseReleased
from schemas.verdicts import Outcome, TextScanned, Verdict
from schemas.watching import CauseSegment, ChangePoint, Finding, Observation

BEFORE_LEAST = 100
"""Fewer requests from before a change cannot say what was usual."""
CONTEXT_LEAST = 50
"""So many items from before a change, at least, are looked at to say when it was."""
DIMENSIONS = ("workspace", "version", "pool", "model", "topic")
"""What we say of a request ourselves; its own labels cannot take these names or their room."""
LABEL_CHARS_MAX = 64
"""Of a request's own labels; a longer name or value is none that many requests share."""
EXEMPLARS_MAX = 5
NEAR = timedelta(seconds=30)
"""What changed so shortly before a finding's change, or after it began, is named beside it."""


@dataclass(frozen=True)
class Measured:
    """What a finding measures, of each remembered request; arrays of shape (n,).

    Attributes:
        values: 0 or 1, or NaN where the request does not count.
        times: When it counted, in seconds since 1970.
        kind: How values are compared.
    """

    values: Floats
    times: Floats
    kind: Kind = "rate"


class Causes:
    """Remember a deployment's requests and say of a detection where in the traffic it sits.

    It names the one or two properties that best explain the change (:mod:`monitors.attribution`),
    the requests that show it, the moment of the change with an interval, and what else changed
    about then (:mod:`monitors.changes`). A finding about something that requests do not show stays
    as it is.
    """

    def __init__(self) -> None:
        self._memory = RequestMemory(DIMENSIONS)
        self._changes = Changes()

    def observe(self, observation: Observation) -> None:
        """Take in what happened; of answers and texts nothing is kept but what was said of them."""
        at = observation.occurred_at
        if observation.scanned is not None:
            self._scanned(observation.scanned, at)
        elif observation.response is not None:
            self._answered(observation.response, at)
        self._changes.observe(observation)

    def announced(self, observation: Observation) -> DeploymentChanged | None:
        """Return what is to be announced because of ``observation``, before it is taken in."""
        return self._changes.announced(observation)

    def _scanned(self, scanned: TextScanned, at: datetime) -> None:
        marks = [mark for v in scanned.verdicts for mark in _marks(v, scanned.direction.value)]
        slot = self._memory.slot(scanned.request_id, at)
        if marks:
            self._memory.mark(slot, marks)
        self._memory.describe(slot, _labels(scanned.metadata) | {"workspace": scanned.workspace})

    def _answered(self, response: ResponseReleased, at: datetime) -> None:
        slot = self._memory.slot(response.request_id, at)
        labels = {"workspace": response.workspace}
        if response.served is not None:
            served = response.served
            labels |= _labels(served.metadata) | {"version": served.deployment_version}
        if response.pool is not None:
            labels["pool"] = response.pool
        if response.model is not None:
            labels["model"] = response.model
        if response.route is not None:
            labels["topic"] = response.route.topic
        self._memory.describe(slot, labels)
        self._memory.mark(slot, [f"status|{response.status.value}"])
        self._memory.measure(slot, dict(_numbers(response, at)))

    def explain(self, finding: Finding) -> Finding:
        """Return ``finding`` with its cause, as far as the remembered requests show one."""
        measured = self._measured(finding)
        if finding.kind != "detection" or finding.since_at is None or measured is None:
            return finding
        since_s = finding.since_at.timestamp()
        counted = ~np.isnan(measured.values)
        before = counted & (measured.times < since_s)
        after = counted & (measured.times >= since_s)
        if before.sum() < BEFORE_LEAST:
            return finding
        segments = attribute(
            self._items(measured, before),
            self._items(measured, after),
            self._memory.dimensions,
            kind=measured.kind,
        )
        moment = self._moment(measured, counted, since_s, segments)
        causes = tuple(self._told(segment, measured, after) for segment in segments)
        beside = self._beside(moment, finding)
        said = _in_words(causes, moment, beside)
        return finding.model_copy(
            update={
                "causes": causes,
                "changed": moment,
                "beside": beside,
                "cause": f"{finding.cause}{said}",
            }
        )

    def _items(self, measured: Measured, chosen: Flags) -> Items:
        exposure = float(chosen.sum()) if measured.kind == "count" else 1.0
        return Items(self._memory.codes[chosen], measured.values[chosen], exposure)

    def _measured(self, finding: Finding) -> Measured | None:
        memory, times = self._memory, self._memory.times
        segment = finding.segment
        if finding.monitor == "guard_rates":
            mark = f"{finding.metric}|{segment['guard']}|{segment['direction']}"
            label = segment.get("label")
            return Measured(_flags(memory.marked(f"{mark}|{label}" if label else mark)), times)
        if finding.monitor == "refusals":
            return Measured(_flags(memory.marked("flagged_rate|refusal|answer")), times)
        if finding.metric in ("latency_s", "ttft_s") and finding.limit is not None:
            taken_s = memory.numbers(finding.metric)
            slow = np.where(np.isnan(taken_s), np.nan, taken_s > finding.limit)
            of_pool = self._only(slow, "pool", segment.get("pool"))
            ended = times + np.nan_to_num(memory.numbers("latency_s"))
            return Measured(of_pool, ended)
        if finding.metric == "answer_tokens" and finding.limit is not None:
            tokens = memory.numbers("answer_tokens")
            side = 1 if segment.get("change") == "longer" else -1
            beyond = np.where(np.isnan(tokens), np.nan, side * (tokens - finding.limit) > 0)
            return Measured(self._only(beyond, "pool", segment.get("pool")), times)
        if finding.monitor == "slo":
            return Measured(_flags(memory.marked("status|failed")), times)
        if finding.metric == "topic_share":
            return Measured(np.ones(len(times)), times, "count")
        return None

    def _only(self, values: Floats, dimension: str, value: str | None) -> Floats:
        """Return ``values`` with NaN for the requests that have another value."""
        names = [known.name for known in self._memory.dimensions]
        if value is None or dimension not in names:
            return values
        column = names.index(dimension)
        kept = self._memory.dimensions[column].values
        code = kept.index(value) if value in kept else -2
        return np.where(self._memory.codes[:, column] == code, values, np.nan)

    def _members(self, where: Mapping[str, str]) -> Flags:
        dimensions, codes = self._memory.dimensions, self._memory.codes
        inside = np.ones(len(codes), np.bool_)
        for column, dimension in enumerate(dimensions):
            if dimension.name in where:
                inside &= codes[:, column] == dimension.values.index(where[dimension.name])
        return inside

    def _told(self, segment: Segment, measured: Measured, after: Flags) -> CauseSegment:
        chosen = np.flatnonzero(after & self._members(segment.where) & (measured.values > 0))
        latest = chosen[np.argsort(-measured.times[chosen], kind="stable")]
        ids = (self._memory.request_id(int(slot)) for slot in latest)
        return CauseSegment(
            segment=segment.where,
            before=segment.before,
            after=segment.after,
            samples=segment.items,
            explains=segment.explains,
            surprise=segment.surprise,
            evidence=segment.evidence,
            exemplars=tuple(one for one in ids if one is not None)[:EXEMPLARS_MAX],
        )

    def _moment(
        self, measured: Measured, counted: Flags, since_s: float, segments: list[Segment]
    ) -> ChangePoint | None:
        """Return when the best segment changed, or the whole if none stands out."""
        inside, values = counted, measured.values
        if segments:
            members = self._members(segments[0].where)
            known = (counted & members & (measured.times < since_s)).sum() >= CONTEXT_LEAST
            if measured.kind == "count":
                values = _flags(members)
            elif known:
                inside = counted & members
        order = np.flatnonzero(inside)[np.argsort(measured.times[inside], kind="stable")]
        since = int(np.searchsorted(measured.times[order], since_s))
        order = order[max(0, since - max(CONTEXT_LEAST, len(order) - since)) :]
        if len(order) < CONTEXT_LEAST or values[order].std() == 0:
            return None
        moment = change_point(values[order])
        at = [at_time(t) for t in measured.times[order]]
        return ChangePoint(
            at=at[moment.index],
            earliest_at=at[moment.earliest - 1],
            latest_at=at[moment.latest],
        )

    def _beside(self, moment: ChangePoint | None, finding: Finding) -> tuple[str, ...]:
        earliest = moment.earliest_at if moment else finding.since_at or finding.occurred_at
        return self._changes.since(earliest - NEAR)

    def snapshot(self) -> Snapshot:
        """Return the whole state as JSON."""
        return {"memory": self._memory.snapshot(), **self._changes.snapshot()}

    def restore(self, snapshot: Snapshot) -> None:
        """Take on the state that :meth:`snapshot` returned."""
        memory = snapshot["memory"]
        assert isinstance(memory, dict)
        self._memory.restore(memory)
        self._changes.restore(snapshot)


def _labels(metadata: Mapping[str, str]) -> dict[str, str]:
    """Return those of a request's own labels that are remembered."""
    return {
        name: value
        for name, value in metadata.items()
        if name not in DIMENSIONS and max(len(name), len(value)) <= LABEL_CHARS_MAX
    }


def _flags(flags: Flags) -> Floats:
    return flags.astype(np.float64)


def _marks(verdict: Verdict, direction: str) -> Iterator[str]:
    if verdict.outcome is Outcome.PASS:
        return
    if verdict.outcome is Outcome.NOT_SCANNED:
        yield f"not_scanned_rate|{verdict.guard}|{direction}"
        return
    yield f"flagged_rate|{verdict.guard}|{direction}"
    if verdict.outcome is Outcome.MASK:
        for label in dict.fromkeys(span.label for span in verdict.spans):
            yield f"flagged_rate|{verdict.guard}|{direction}|{label}"


def _numbers(response: ResponseReleased, at: datetime) -> Iterator[tuple[str, float]]:
    if response.pool is None or response.failure is not None:
        return
    yield "latency_s", (at - response.requested_at).total_seconds()
    if response.timings is not None and response.timings.ttft_s is not None:
        yield "ttft_s", response.timings.ttft_s
    if response.usage.completion_tokens:
        yield "answer_tokens", float(response.usage.completion_tokens)


def _in_words(
    causes: tuple[CauseSegment, ...], moment: ChangePoint | None, beside: tuple[str, ...]
) -> str:
    words = ""
    if causes:
        best = causes[0]
        where = ", ".join(f"{name} {value}" for name, value in best.segment.items())
        words += f"; it sits in {where}: {percent(best.after)} ({percent(best.before)} before)"
        if best.explains > 0:
            words += f", {percent(min(1.0, best.explains))} of the change"
    if moment is not None:
        words += (
            f"; changed at {clock(moment.at)}"
            f" ({clock(moment.earliest_at)} to {clock(moment.latest_at)})"
        )
    return words + (f"; at that time: {'; '.join(beside)}" if beside else "")
