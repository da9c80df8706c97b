"""The verdicts on one text: nearly all say that nothing was found, and cost nearly nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import overload

from monitors.duties import Duty
from monitors.judging import passed
from schemas.codec import encode
from schemas.verdicts import Verdict

_FILLED = b'"scanned_chars":0,"total_chars":0,"latency_ms":0.0,'
_TO_FILL = b'"scanned_chars":%(chars)d,"total_chars":%(chars)d,"latency_ms":%(ms).6f,'


class Roll:
    """The guards required of a text, in the order of their verdicts.

    Args:
        duties: Their duties.
    """

    def __init__(self, duties: Sequence[Duty]) -> None:
        self.duties = tuple(duties)
        silent = [encode(passed(duty, 0, 0.0)).replace(b"%", b"%%") for duty in self.duties]
        self.forms = tuple(said.replace(_FILLED, _TO_FILL) for said in silent)
        self.form = b",".join(self.forms)


class Verdicts(Sequence[Verdict]):
    """One verdict per required guard; those that found nothing are made when they are looked at.

    Args:
        roll: Who was to read the text.
        chars: The text's length.
        latency_ms: What reading it took each guard that found nothing.
        told: The verdicts of the others, by their place in the roll.
    """

    __slots__ = ("_all", "_chars", "_latency_ms", "_roll", "_told")

    def __init__(
        self, roll: Roll, chars: int, latency_ms: float, told: Mapping[int, Verdict]
    ) -> None:
        self._roll, self._chars, self._latency_ms, self._told = roll, chars, latency_ms, told
        self._all: tuple[Verdict, ...] | None = None

    @property
    def told(self) -> list[Verdict]:
        """The verdicts that may be other than a pass, in order."""
        return [self._told[place] for place in sorted(self._told)] if self._told else []

    def json(self) -> bytes:
        """Return what :func:`schemas.codec.encode` makes of each, with commas between them."""
        filled = {b"chars": self._chars, b"ms": self._latency_ms}
        if not self._told:
            return self._roll.form % filled
        return b",".join(
            encode(self._told[place]) if place in self._told else form % filled
            for place, form in enumerate(self._roll.forms)
        )

    def _verdicts(self) -> tuple[Verdict, ...]:
        if self._all is None:
            self._all = tuple(
                self._told[place]
                if place in self._told
                else passed(duty, self._chars, self._latency_ms)
                for place, duty in enumerate(self._roll.duties)
            )
        return self._all

    def __len__(self) -> int:
        return len(self._roll.duties)

    def __iter__(self) -> Iterator[Verdict]:
        return iter(self._verdicts())

    @overload
    def __getitem__(self, index: int) -> Verdict: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Verdict, ...]: ...

    def __getitem__(self, index: int | slice) -> Verdict | tuple[Verdict, ...]:
        return self._verdicts()[index]


def told(verdicts: Sequence[Verdict]) -> Sequence[Verdict]:
    """Return those of ``verdicts`` that may be other than a pass."""
    return verdicts.told if isinstance(verdicts, Verdicts) else verdicts


def json_of(*groups: Sequence[Verdict]) -> bytes:
    """Return the JSON array of the verdicts in ``groups``."""
    parts = [
        group.json() if isinstance(group, Verdicts) else b",".join(map(encode, group))
        for group in groups
        if len(group)
    ]
    return b"[" + b",".join(parts) + b"]"
