"""What a policy would have done to the traffic that is stored.

Texts are not stored as they were written: of prompts and passages there are the guards' scores, of
answers the masked text as well. So another threshold, action or way to fail is judged exactly, from
scores; a guard that was not required, has another version now, or is given options reads stored
answers as they were masked; and of prompts and passages it cannot be judged, which is said.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from pydantic import BaseModel

from monitors.duties import Duty, duties
from monitors.guard import Guard
from monitors.judging import NOT_SAMPLED
from monitors.scanning import STRONGEST_LAST, Scanner
from schemas.registry import Policy
from schemas.verdicts import Action, Direction, Outcome
from streams.clickhouse_client import connect, translated
from streams.store import StoreConnection

_AT_ONCE = 256
_EXAMPLES = 3
_PASS = "pass"
_QUERY = """
SELECT s.request_id, s.direction, s.verdicts.guard, s.verdicts.guard_version, s.verdicts.outcome,
    s.verdicts.score, s.verdicts.reason, s.verdicts.failed, r.text_masked
FROM scans AS s
LEFT JOIN (
    SELECT request_id, any(text_masked) AS text_masked FROM responses
    WHERE appended_at >= {since:DateTime64(3)} AND text_masked != '' GROUP BY request_id
) AS r ON s.request_id = r.request_id AND s.direction = 'answer'
WHERE s.appended_at BETWEEN {since:DateTime64(3)} AND {until:DateTime64(3)}
    AND (s.deployment = {deployment:String} OR {deployment:String} = '')
"""


@dataclass(frozen=True)
class Said:
    """What a guard said of a stored text."""

    version: str
    outcome: str
    score: float
    reason: str = ""
    failed: str = ""


@dataclass(frozen=True)
class StoredText:
    """One text of the stored traffic; ``masked`` is empty where the text itself is not kept."""

    request_id: str
    direction: Direction
    said: dict[str, Said]
    masked: str = ""


class Change(BaseModel):
    """Texts for which another outcome would have come of it.

    Attributes:
        examples: A few of their requests.
    """

    direction: str
    before: str
    after: str
    texts: int
    because: dict[str, int]
    examples: list[str]


class Unjudged(BaseModel):
    """Texts of which a guard's verdict cannot be known."""

    guard: str
    direction: str
    texts: int
    why: str


class DryRun(BaseModel):
    """What would have come of the stored texts.

    Attributes:
        before: How many texts had each outcome, by direction.
        after: How many would have had it; guards that cannot be judged count as passing.
        read_masked: Verdicts made by reading a stored answer, in which values are masked.
    """

    policy: str
    texts: int
    before: dict[str, dict[str, int]]
    after: dict[str, dict[str, int]]
    changes: list[Change]
    unjudged: list[Unjudged]
    read_masked: dict[str, int]
    notes: list[str]


def dry_run(texts: Iterable[StoredText], policy: Policy, guards: Sequence[Guard]) -> DryRun:
    """Return what ``policy`` would have done to ``texts``.

    Args:
        texts: The stored traffic.
        policy: The policy to try.
        guards: The guards there are.
    """
    trial = _Trial(policy, guards)
    stream = iter(texts)
    while batch := list(islice(stream, _AT_ONCE)):
        trial.take(batch)
    return trial.result()


def stored_texts(
    connection: StoreConnection, since: datetime, until: datetime, deployment: str = ""
) -> Iterator[StoredText]:
    """Yield the texts that were scanned between two times.

    Args:
        connection: The store.
        since: The earliest time.
        until: The latest time.
        deployment: Only this deployment's; all if empty.

    Raises:
        StoreUnavailable: If the store does not answer.
    """
    client = connect(connection)
    given = {"since": since, "until": until, "deployment": deployment}
    try:
        with translated(), client.query_rows_stream(_QUERY, parameters=given) as rows:
            for request_id, direction, names, *columns, masked in rows:
                said = {
                    name: Said(version, outcome, round(score, 6), reason, failed)
                    for name, version, outcome, score, reason, failed in zip(
                        names, *columns, strict=True
                    )
                }
                yield StoredText(request_id, Direction(direction), said, masked or "")
    finally:
        client.close()


class _Trial:
    def __init__(self, policy: Policy, guards: Sequence[Guard]) -> None:
        self._policy = policy
        self._duties = duties(guards, policy)
        self._scanner = Scanner(guards, policy)
        self._before = {side.value: Counter[str]() for side in Direction}
        self._after = {side.value: Counter[str]() for side in Direction}
        self._changed: dict[tuple[str, str, str], list[str]] = {}
        self._because: dict[tuple[str, str, str], Counter[str]] = {}
        self._unjudged: Counter[tuple[str, str, str]] = Counter()
        self._read: Counter[str] = Counter()

    def take(self, texts: Sequence[StoredText]) -> None:
        answers = [n for n, text in enumerate(texts) if text.masked and self._must_read(text)]
        found = self._scanner.scan([texts[n].masked for n in answers], Direction.ANSWER)
        read = dict(zip(answers, found, strict=True))
        for number, text in enumerate(texts):
            fresh = {v.guard: Said(v.guard_version, v.outcome.value, v.score, v.reason, v.failed)
                     for v in read.get(number, ())}  # fmt: skip
            self._judge(text, fresh)

    def _must_read(self, text: StoredText) -> bool:
        required = [duty for duty in self._duties if text.direction in duty.directions]
        return any(not _is_known(duty, text) for duty in required)

    def _judge(self, text: StoredText, fresh: dict[str, Said]) -> None:
        asked = {name: _asked_before(said) for name, said in text.said.items()}
        wanted: dict[str, Action | None] = {}
        for duty in self._duties:
            name = duty.guard.name
            if text.direction not in duty.directions:
                continue
            if _is_known(duty, text):
                wanted[name] = _asked_now(duty, text.said[name])
            elif name in fresh:
                wanted[name] = _asked_now(duty, fresh[name])
                self._read[name] += 1
            else:
                self._unjudged[name, text.direction.value, _why(duty, text)] += 1
                wanted[name] = None
        side = text.direction.value
        before, after = _strongest(asked.values()), _strongest(wanted.values())
        self._before[side][before] += 1
        self._after[side][after] += 1
        if before != after:
            key = (side, before, after)
            self._changed.setdefault(key, []).append(text.request_id)
            differing = [n for n in asked | wanted if asked.get(n) != wanted.get(n)]
            self._because.setdefault(key, Counter()).update(differing)

    def result(self) -> DryRun:
        changes = [
            Change(
                direction=key[0],
                before=key[1],
                after=key[2],
                texts=len(ids),
                because=dict(self._because[key].most_common()),
                examples=ids[:_EXAMPLES],
            )
            for key, ids in sorted(self._changed.items(), key=lambda item: -len(item[1]))
        ]
        unjudged = [
            Unjudged(guard=guard, direction=side, texts=many, why=why)
            for (guard, side, why), many in sorted(self._unjudged.items())
        ]
        return DryRun(
            policy=self._policy.name,
            texts=sum(counts.total() for counts in self._before.values()),
            before={side: dict(counts) for side, counts in self._before.items()},
            after={side: dict(counts) for side, counts in self._after.items()},
            changes=changes,
            unjudged=unjudged,
            read_masked=dict(self._read),
            notes=self._notes(),
        )

    def _notes(self) -> list[str]:
        notes = []
        rules = self._policy.rules
        if partial := [n for n, r in rules.items() if r.sample < 1 or r.on_doubt_of or r.max_chars]:
            notes.append(
                f"{', '.join(partial)}: what a sample, doubt or length leaves unread is not tried"
            )
        if self._read:
            notes.append("stored answers were read as masked: masked values are not found again")
        return notes


def _is_known(duty: Duty, text: StoredText) -> bool:
    """Return whether a stored score is what the guard would give again."""
    said = text.said.get(duty.guard.name)
    current = said is not None and said.version == duty.guard.version
    return current and not duty.rule.options


def _why(duty: Duty, text: StoredText) -> str:
    kept = "its answer is not stored" if text.direction is Direction.ANSWER else "no text is stored"
    if duty.guard.name not in text.said:
        return f"it was not required, and {kept}"
    if duty.rule.options:
        return f"it has options of this policy, and {kept}"
    return f"another version of it read the text, and {kept}"


def _asked_before(said: Said) -> Action | None:
    if said.outcome == Outcome.NOT_SCANNED:
        return Action.BLOCK if said.failed == "closed" else None
    return None if said.outcome == _PASS else Action(said.outcome)


def _asked_now(duty: Duty, said: Said) -> Action | None:
    if said.outcome == Outcome.NOT_SCANNED:
        return Action.BLOCK if duty.fail == "closed" and said.reason != NOT_SAMPLED else None
    return duty.action if said.score >= duty.threshold else None


def _strongest(actions: Iterable[Action | None]) -> str:
    asked = [action for action in actions if action is not None]
    return max(asked, key=STRONGEST_LAST.index).value if asked else _PASS
