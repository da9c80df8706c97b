"""Texts given to guards, together or apart, so that whatever happens each gets its verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

from monitors.duties import Duty
from monitors.guard import Context, Guard, Scan, reads_context
from monitors.judging import (
    NO_CONTEXT,
    NO_PASSAGES,
    NOT_SAMPLED,
    TIME_BUDGET,
    judged,
    unread,
)
from monitors.patterns import Hit, Pack, PatternGuard
from monitors.text import Text
from schemas.verdicts import Verdict

Clock = Callable[[], float]
_AT_ONCE = 32
"""Texts that a guard gets between two looks at the clock."""


class Shared:
    """One guard that reads what the common pass found for it.

    Args:
        duty: Its duty; the guard is a :class:`PatternGuard`.
        place: Its place in the pack.
    """

    def __init__(self, duty: Duty, guard: PatternGuard, place: int) -> None:
        self.name = duty.guard.name
        self.place = place
        self.reads_all = guard.reads_all
        self.duty = duty
        self._guard = guard

    def read_ahead(self, texts: Sequence[Text], clock: Clock) -> float:
        """Let the guard read all texts at once; return the seconds that it took.

        What goes wrong with that goes wrong again with the text at fault alone.
        """
        began_s = clock()
        with suppress(Exception):
            self._guard.read_ahead(texts)
        return clock() - began_s

    def read(self, text: Text, hits: Iterable[Hit], share_s: float, clock: Clock) -> Verdict:
        """Return the verdict on ``text``, to which the common pass gave ``share_s`` seconds."""
        began_s = clock()
        try:
            scan = self._guard.read(text, hits)
        except Exception as error:  # the runner: a guard's bug is a verdict, never a crash
            reason, spent_s = type(error).__name__, share_s + clock() - began_s
            return unread(self.duty, text.original, reason, spent_s)
        return judged(self.duty, text.original, scan, share_s + clock() - began_s)


def read_together(
    shared: Sequence[Shared], pack: Pack, texts: Sequence[Text], clock: Clock
) -> tuple[list[float], list[dict[str, Verdict]]]:
    """Read ``texts`` with one pass over each for all guards.

    The pass's time is divided among the guards evenly, and among the texts by their length; what a
    guard takes over its own hits, or over all texts ahead of that, is its own, and that is what its
    time budget is about.

    Args:
        shared: Who reads.
        pack: Their expressions, and maybe those of others.
        texts: What there is to read.
        clock: Seconds from any start.

    Returns:
        For each text, the milliseconds that each guard's part of the pass took, and the verdicts of
        the guards for which there was something to read; the others have found nothing.
    """
    began_s = clock()
    found = [pack.hits(text) for text in texts]
    chars = [len(text.original) for text in texts]
    elapsed_s = max(0.0, clock() - began_s)
    length = max(1, sum(chars) + len(chars))
    per_char_s = elapsed_s / (length * max(1, len(shared)))
    shares_ms = [per_char_s * (count + 1) * 1000 for count in chars]
    told: list[dict[str, Verdict]] = [{} for _ in texts]
    ahead_s = {one.name: one.read_ahead(texts, clock) for one in shared if one.reads_all}
    spent_s = dict(ahead_s)
    reads_all = bool(ahead_s)
    for number, hits in enumerate(found):
        if not hits and not reads_all:
            continue
        share_s = shares_ms[number] / 1000
        for one in shared:
            if one.place not in hits and not one.reads_all:
                continue
            name, text = one.name, texts[number]
            given_s = share_s + ahead_s.get(name, 0.0) * (chars[number] + 1) / length
            if spent_s.get(name, 0.0) > one.duty.budget_s:
                told[number][name] = unread(one.duty, text.original, TIME_BUDGET, given_s)
                continue
            verdict = one.read(text, hits.get(one.place, ()), given_s, clock)
            spent_s[name] = spent_s.get(name, 0.0) + verdict.latency_ms / 1000 - given_s
            told[number][name] = verdict
    return shares_ms, told


def read_apart(
    duty: Duty,
    texts: Sequence[str],
    wanted: Sequence[bool],
    contexts: Sequence[Context | None],
    clock: Clock,
) -> list[Verdict]:
    """Return the verdicts of one guard on ``texts``, of which it reads those ``wanted``.

    It gets them in batches, until its time for all of them is up.

    Args:
        duty: Its duty.
        texts: What there is to read.
        wanted: Whether each is to be read.
        contexts: What each was given to, as far as that is known.
        clock: Seconds from any start.
    """
    reasons = [
        _obstacle(duty.guard, context) if is_wanted else NOT_SAMPLED
        for is_wanted, context in zip(wanted, contexts, strict=True)
    ]
    numbers = [number for number, reason in enumerate(reasons) if not reason]
    read: list[Verdict] = []
    until_s = clock() + duty.budget_s
    for start in range(0, len(numbers), _AT_ONCE):
        batch = numbers[start : start + _AT_ONCE]
        if start and clock() > until_s:
            read += [unread(duty, texts[number], TIME_BUDGET) for number in batch]
        else:
            pairs = [(texts[number], contexts[number]) for number in batch]
            read += _verdicts(duty, pairs, clock)
    if len(read) == len(texts):
        return read
    verdicts = iter(read)
    return [
        unread(duty, text, reason) if reason else next(verdicts)
        for text, reason in zip(texts, reasons, strict=True)
    ]


def _obstacle(guard: Guard, context: Context | None) -> str:
    """Return why ``guard`` cannot judge an answer in ``context``; empty if it can."""
    if not reads_context(guard):
        return ""
    if context is None:
        return NO_CONTEXT
    return NO_PASSAGES if guard.needs_passages and not context.passages else ""


def _verdicts(
    duty: Duty, pairs: Sequence[tuple[str, Context | None]], clock: Clock
) -> list[Verdict]:
    """Return a verdict per text; what raises is read again text by text."""
    texts = [text for text, _ in pairs]
    began_s = clock()
    try:
        scans = _scan(
            duty.guard,
            [text[: duty.rule.max_chars] for text in texts],
            [context for _, context in pairs if context is not None],
        )
    except Exception as error:  # the runner: a guard's bug is a verdict, never a crash
        if len(texts) == 1:
            return [unread(duty, texts[0], type(error).__name__, clock() - began_s)]
        return [verdict for pair in pairs for verdict in _verdicts(duty, [pair], clock)]
    # A batch's time is each text's in proportion to its length.
    per_char_s = (clock() - began_s) / max(1, sum(len(text) + 1 for text in texts))
    return [
        judged(duty, text, scan, per_char_s * (len(text) + 1))
        for text, scan in zip(texts, scans, strict=True)
    ]


def _scan(guard: Guard, texts: Sequence[str], contexts: Sequence[Context]) -> list[Scan]:
    scans = guard.scan_in_context(texts, contexts) if reads_context(guard) else guard.scan(texts)
    if len(scans) != len(texts):
        raise ValueError(f"guard {guard.name!r} gave {len(scans)} scans for {len(texts)} texts")
    return scans
