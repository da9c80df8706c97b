"""Answers read while they are generated, so that a bad one stops early and little of it is seen."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from monitors.duties import Duty
from monitors.folding import Folded
from monitors.guard import Scan
from monitors.matching import StreamMatcher
from monitors.patterns import PatternGuard
from monitors.text import Text
from schemas.requests import Stopped

CHECK_CHARS = 48
"""New characters of an answer after which it is looked at again."""
HOLD_BACK_CHARS = 160
"""Characters at an answer's end that are kept from a reader who follows it as it grows.

It has to hold the longest stretch that a guard speaks about, less what comes between two looks.
"""
_REACH_CHARS = 256
"""How far beyond its first sight something may take to become what a guard speaks about."""
_GROWTH_RATE = 0.02
"""How much longer an answer must be before it is read once more."""


class Stopping:
    """The guards that may stop an answer: those that look for expressions and would withhold it.

    Args:
        duties: Their duties.
    """

    def __init__(self, duties: Sequence[Duty]) -> None:
        self.duties = [duty for duty in duties if isinstance(duty.guard, PatternGuard)]
        self.guards = [duty.guard for duty in duties if isinstance(duty.guard, PatternGuard)]
        owned = [(n, item) for n, guard in enumerate(self.guards) for item in guard.expressions]
        self.owners = [place for place, _ in owned]
        self.matcher = StreamMatcher([item for _, item in owned])
        for guard in self.guards:
            guard.scan_alone(Text(""))  # so that nothing is compiled while answers are generated

    def begin(self) -> Growing:
        """Return an answer of which nothing is known yet."""
        return Growing(self)


class Growing:
    """One answer as it grows; a context, which gives its memory back.

    A piece costs next to nothing: only when enough has come, hyperscan takes up where it left off,
    and only where it sees something the guard concerned reads the answer so far, and again as more
    of it comes. An answer in which it keeps seeing something is read anew whenever it is a certain
    share longer, so that the work grows in proportion to the answer.

    Args:
        stopping: Who may stop it.
    """

    def __init__(self, stopping: Stopping) -> None:
        self._stopping = stopping
        self._stream = stopping.matcher.open()
        self._pieces: list[str] = []
        self._fresh: list[str] = []
        self._chars = self._checked = self._cleared = 0
        self._suspects: dict[int, int] = {}
        self._next_read = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stream.close()

    def add(self, piece: str) -> Stopped | None:
        """Take in the next piece; return who stops the answer, if someone does."""
        self._fresh.append(piece)
        self._chars += len(piece)
        if self._chars - self._checked < CHECK_CHARS:
            return None
        return self.check()

    def check(self, last: bool = False) -> Stopped | None:
        """Look at what has come since the last look; return who stops the answer, if someone does.

        Args:
            last: Whether nothing more will come, so that whatever is suspicious is read.
        """
        fresh = "".join(self._fresh)
        self._fresh.clear()
        self._pieces.append(fresh)
        seen = self._stream.seen(Folded(fresh).text)
        for number in seen:
            self._suspects[self._stopping.owners[number]] = self._chars
        is_due = last or self._chars >= self._next_read
        stopper = self._read() if self._suspects and is_due else None
        if stopper is None:
            self._checked = self._chars
            if is_due or not self._suspects:
                self._cleared = self._chars
            return None
        return Stopped(
            guard=stopper.guard.name,
            generated_chars=self._chars,
            released_chars=max(0, self._cleared - HOLD_BACK_CHARS),
            hold_back_chars=HOLD_BACK_CHARS,
        )

    def _read(self) -> Duty | None:
        """Return the duty of the first guard that speaks about the answer so far."""
        text = Text("".join(self._pieces))
        self._next_read = self._chars + int(self._chars * _GROWTH_RATE)
        for place in sorted(self._suspects):
            duty, guard = self._stopping.duties[place], self._stopping.guards[place]
            scan: Scan | None
            try:
                scan = guard.scan_alone(text)
            except Exception:  # the whole answer is read again, and a guard's bug is a verdict then
                scan = None
            if scan is not None and scan.score >= duty.threshold:
                return duty
            if scan is None or self._chars > self._suspects[place] + _REACH_CHARS:
                del self._suspects[place]
        return None
