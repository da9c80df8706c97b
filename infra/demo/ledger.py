"""What Kafka or ClickHouse holds of the requests of a run, and what is wrong with it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from schemas.verdicts import Direction

KINDS = (
    "requests",
    "admissions",
    "completions",
    "responses",
    "scans",
    "verdicts",
    "dead_letters",
)
"""Tables, and what travels on the topics that fill them."""
STATUSES = ("released", "masked", "withheld", "blocked", "failed")
_NAMED = 3


@dataclass(frozen=True)
class Row:
    """One record or row that belongs to a request.

    Args:
        kind: One of :data:`KINDS`; for ``verdicts`` it stands for all those on one text.
        request_id: The request.
        event: What tells it from every other of its kind.
        outcome: The status of a response, the reason of a dead letter.
        scannable: Whether guards must have read the request (of a response) or the answer (of a
            completion).
        direction: Which text, of scans and verdicts.
        guards: Who gave the verdicts.
        gist: What a completion or response says of where, about what and how long, in a few words.
    """

    kind: str
    request_id: str
    event: str
    outcome: str = ""
    scannable: bool = False
    direction: str = ""
    guards: tuple[str, ...] = ()
    gist: str = ""


class Ledger:
    """Counts rows.

    Args:
        rows: All that there are of the requests of one run.

    Attributes:
        rows: How many there are of each kind.
        statuses: How many responses have each status.
        set_aside: How many dead letters have each reason.
    """

    def __init__(self, rows: Iterable[Row]) -> None:
        self.rows: Counter[str] = Counter()
        self.statuses: Counter[str] = Counter()
        self.set_aside: Counter[str] = Counter()
        self._gists: set[tuple[str, str, str]] = set()
        self._events: dict[str, set[str]] = defaultdict(set)
        self._asked: set[str] = set()
        self._responses: Counter[str] = Counter()
        self._dead_letters: Counter[str] = Counter()
        self._due: set[tuple[str, str]] = set()
        self._guards: dict[tuple[str, str], list[str]] = defaultdict(list)
        for row in rows:
            self._add(row)

    @property
    def in_flight(self) -> list[str]:
        """The requests that have not ended."""
        return sorted(self._asked - self._responses.keys() - self._dead_letters.keys())

    def distinct(self, kind: str) -> int:
        """Return how many different events there are of ``kind``."""
        return len(self._events[kind])

    def amiss(self, sent: int, required: Mapping[Direction, frozenset[str]]) -> list[str]:
        """Return in a sentence each what is wrong with the account of ``sent`` requests.

        Args:
            sent: How many requests were written.
            required: The guards that must give a verdict on each text of a direction.
        """
        found = []
        if self.rows["requests"] != sent:
            found.append(f"{self.rows['requests']} requests are there of {sent} that were sent")
        ended = self.rows["responses"] + self.rows["dead_letters"]
        if ended != sent:
            found.append(f"{ended} responses and dead letters stand for {sent} requests")
        found += _listed("in flight", self.in_flight)
        found += _listed("ended more than once", self._ended_twice())
        found += _listed("ended without having been asked", self._unasked())
        if self.rows["admissions"] != self.rows["completions"]:
            admitted = self.rows["admissions"]
            found.append(f"{self.rows['completions']} completions came of {admitted} admissions")
        found += [
            f"{self.rows[kind]} {kind} are {self.distinct(kind)} different ones"
            for kind in KINDS
            if self.rows[kind] != self.distinct(kind)
        ]
        for direction in (Direction.PROMPT, Direction.ANSWER):
            what = f"without exactly one verdict per required guard on the {direction}"
            found += _listed(what, self._scanned_wrongly(direction, required[direction]))
        return found

    def differs_from(self, other: Ledger, names: tuple[str, str]) -> list[str]:
        """Return in a sentence each where two accounts of the same requests differ."""
        return [
            f"{self.rows[kind]} {kind} are in {names[0]} and {other.rows[kind]} in {names[1]}"
            for kind in KINDS
            if self.rows[kind] != other.rows[kind]
        ] + _listed(
            f"are not the same in {names[0]} and {names[1]}",
            sorted({request_id for _, request_id, _ in self._gists ^ other._gists}),
        )

    def _add(self, row: Row) -> None:
        text = (row.request_id, row.direction)
        if row.kind == "verdicts":
            self.rows[row.kind] += len(row.guards)
            self._events[row.kind].update(f"{row.event}/{guard}" for guard in row.guards)
            self._guards[text] += row.guards
            return
        self.rows[row.kind] += 1
        self._events[row.kind].add(row.event)
        if row.gist:
            self._gists.add((row.kind, row.request_id, row.gist))
        if row.kind == "requests":
            self._asked.add(row.request_id)
        elif row.kind == "responses":
            self.statuses[row.outcome] += 1
            self._responses[row.request_id] += 1
            if row.scannable:
                self._due.add((row.request_id, Direction.PROMPT))
        elif row.kind == "completions" and row.scannable:
            self._due.add((row.request_id, Direction.ANSWER))
        elif row.kind == "dead_letters":
            self.set_aside[row.outcome] += 1
            self._dead_letters[row.request_id] += 1

    def _ended_twice(self) -> list[str]:
        ended = self._responses + self._dead_letters
        return sorted(request_id for request_id, times in ended.items() if times > 1)

    def _unasked(self) -> list[str]:
        return sorted((self._responses.keys() | self._dead_letters.keys()) - self._asked)

    def _scanned_wrongly(self, direction: Direction, required: frozenset[str]) -> list[str]:
        due = {request_id for request_id, of in self._due if of == direction}
        scanned = {request_id for request_id, of in self._guards if of == direction}
        wrong = {r for r in due if sorted(self._guards[r, direction]) != sorted(required)}
        return sorted(wrong | (scanned - due if direction is Direction.ANSWER else set()))


def _listed(what: str, request_ids: list[str]) -> list[str]:
    if not request_ids:
        return []
    more = ", ..." if len(request_ids) > _NAMED else ""
    return [f"{len(request_ids)} {what}: {', '.join(request_ids[:_NAMED])}{more}"]
