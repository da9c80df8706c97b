"""The requests a monitor can look back at: the latest, and a sample of those before."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from monitors.attribution import NO_VALUE, Dimension
from monitors.monitor import Snapshot
from monitors.state import dump, load

LATEST = 512
"""How many requests are kept one by one."""
SAMPLE = 1024
"""How many of those before them are kept, drawn at random and renewed little by little."""
HORIZON = 16 * SAMPLE
"""About how many requests back the sample reaches."""
DIMENSIONS_MAX = 12
VALUES_MAX = 64
"""How many values of a dimension are told apart; the rarest of them gives way to a new one."""
MARKS_MAX = 256
NUMBERS = ("latency_s", "ttft_s", "answer_tokens")
_NONE = 255


@dataclass
class _State:
    """What is remembered beside the figures; places are rows of the arrays of figures."""

    dimensions: dict[str, list[str]] = field(default_factory=dict)
    marks: list[str] = field(default_factory=list)
    marked: dict[int, list[int]] = field(default_factory=dict)
    ids: dict[int, str] = field(default_factory=dict)
    sampled: list[int] = field(default_factory=list)
    seen: int = 0


@dataclass
class _Kept:
    """Everything as JSON has it: arrays as base64."""

    state: _State
    codes: str
    numbers: str
    times: str


class RequestMemory:
    """Remember requests in bounded room: what they were, what was found, how long they took.

    The latest are kept whole, with their ids. One that leaves them enters, with a chance that keeps
    the sample uniform over about the last :data:`HORIZON`, the sample of earlier ones. Chances
    follow from the count of requests: the same requests leave the same memory.

    Args:
        dimensions: Those that always have room, whatever others come first.
    """

    def __init__(self, dimensions: Sequence[str] = ()) -> None:
        room = LATEST + SAMPLE
        self._state = _State(dimensions={name: [] for name in dimensions})
        self._codes = np.full((room, DIMENSIONS_MAX), _NONE, np.uint8)
        self._numbers = np.full((room, len(NUMBERS)), np.nan, np.float16)
        self._times = np.zeros(room, np.float64)
        self._slots: dict[str, int] = {}

    def slot(self, request_id: str, at: datetime) -> int:
        """Return where ``request_id`` is kept; it is remembered as of ``at`` if it was not yet."""
        known = self._slots.get(request_id)
        if known is not None:
            return known
        slot = self._free()
        self._state.seen += 1
        self._state.ids[slot] = request_id
        self._slots[request_id] = slot
        self._codes[slot] = _NONE
        self._numbers[slot] = np.nan
        self._times[slot] = at.timestamp()
        return slot

    def describe(self, slot: int, labels: Mapping[str, str]) -> None:
        """Remember what a request was: a value for each of some dimensions."""
        known = self._state.dimensions
        for name, value in labels.items():
            if name not in known:
                if len(known) == DIMENSIONS_MAX:
                    continue
                known[name] = []
            column = list(known).index(name)
            self._codes[slot, column] = self._code(column, known[name], value)

    def mark(self, slot: int, marks: Iterable[str]) -> None:
        """Remember what was found in a request."""
        for mark in marks:
            if mark not in self._state.marks:
                if len(self._state.marks) == MARKS_MAX:
                    continue
                self._state.marks.append(mark)
            number = self._state.marks.index(mark)
            kept = self._state.marked.setdefault(slot, [])
            if number not in kept:
                kept.append(number)

    def measure(self, slot: int, numbers: Mapping[str, float]) -> None:
        """Remember some of :data:`NUMBERS` of a request."""
        for name, value in numbers.items():
            self._numbers[slot, NUMBERS.index(name)] = min(value, 60_000.0)

    @property
    def dimensions(self) -> list[Dimension]:
        """The dimensions and their values, in the order of the columns of :meth:`codes`."""
        return [Dimension(name, tuple(kept)) for name, kept in self._state.dimensions.items()]

    @property
    def codes(self) -> npt.NDArray[np.int16]:
        """The code of every dimension of every request; shape (n, d)."""
        codes = self._codes[: self._used, : len(self._state.dimensions)].astype(np.int16)
        codes[codes == _NONE] = NO_VALUE
        return codes

    @property
    def times(self) -> npt.NDArray[np.float64]:
        """When each request was first heard of, in seconds since 1970; shape (n,)."""
        return self._times[: self._used]

    def numbers(self, name: str) -> npt.NDArray[np.float64]:
        """Return one of :data:`NUMBERS` of every request, NaN where it is not known; shape (n,)."""
        return self._numbers[: self._used, NUMBERS.index(name)].astype(np.float64)

    def marked(self, mark: str) -> npt.NDArray[np.bool_]:
        """Return which requests have a mark; shape (n,)."""
        flags = np.zeros(self._used, np.bool_)
        if mark in self._state.marks:
            number = self._state.marks.index(mark)
            flags[[slot for slot, kept in self._state.marked.items() if number in kept]] = True
        return flags

    def request_id(self, slot: int) -> str | None:
        """Return the id of one of the latest requests; of the sample they are not kept."""
        return self._state.ids.get(slot)

    @property
    def _used(self) -> int:
        return len(self._state.ids) + len(self._state.sampled)

    def _free(self) -> int:
        """Return a place for a new request; the oldest of the latest leaves, or is sampled."""
        state = self._state
        if len(state.ids) < LATEST:
            return self._used
        oldest = next(iter(state.ids))
        del self._slots[state.ids.pop(oldest)]
        if len(state.sampled) < SAMPLE:
            state.sampled.append(oldest)
            return self._used
        draw = _scrambled(state.seen)
        if draw % min(state.seen - LATEST, HORIZON) < SAMPLE:
            place = (draw >> 32) % SAMPLE
            oldest, state.sampled[place] = state.sampled[place], oldest
        state.marked.pop(oldest, None)
        return oldest

    def _code(self, column: int, values: list[str], value: str) -> int:
        if value in values:
            return values.index(value)
        if len(values) < VALUES_MAX:
            values.append(value)
            return len(values) - 1
        kept = np.bincount(self._codes[: self._used, column], minlength=VALUES_MAX)[:VALUES_MAX]
        rarest = int(kept.argmin())
        column_codes = self._codes[: self._used, column]
        column_codes[column_codes == rarest] = _NONE
        values[rarest] = value
        return rarest

    def snapshot(self) -> Snapshot:
        """Return everything as JSON."""
        used = self._used
        codes = self._codes[:used, : len(self._state.dimensions)]
        numbers, times = self._numbers[:used], self._times[:used]
        return dump(_Kept(self._state, _packed(codes), _packed(numbers), _packed(times)))

    def restore(self, snapshot: Snapshot) -> None:
        """Take on the state that :meth:`snapshot` returned."""
        kept = load(_Kept, snapshot)
        self._state = kept.state
        self._slots = {request_id: slot for slot, request_id in kept.state.ids.items()}
        used, width = self._used, len(kept.state.dimensions)
        self._codes[:used] = _NONE
        self._codes[:used, :width] = _unpacked(kept.codes, np.uint8).reshape(used, width)
        self._numbers[:used] = _unpacked(kept.numbers, np.float16).reshape(used, len(NUMBERS))
        self._times[:used] = _unpacked(kept.times, np.float64)


def _scrambled(number: int) -> int:
    """Return 64 bits that look random and follow from ``number`` (SplitMix64)."""
    mixed = number * 0x9E3779B97F4A7C15 & (1 << 64) - 1
    mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9 & (1 << 64) - 1
    mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB & (1 << 64) - 1
    return mixed ^ mixed >> 31


def _packed(array: npt.NDArray[Any]) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def _unpacked(packed: str, kind: Any) -> npt.NDArray[Any]:
    return np.frombuffer(base64.b64decode(packed), kind)


def at_time(seconds: float) -> datetime:
    """Return seconds since 1970 as a time.

    >>> at_time(0.5).isoformat()
    '1970-01-01T00:00:00.500000+00:00'
    """
    return datetime.fromtimestamp(seconds, UTC)
