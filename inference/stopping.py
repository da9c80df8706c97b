"""Stop strings on a stream of text: what may go out, and when it is over."""

from __future__ import annotations

from collections.abc import Sequence


class StopAt:
    """Let text through until a stop string appears; nothing of the stop string gets out.

    Text that may turn out to begin a stop string is held back until that is decided.

    Args:
        stops: The strings that end an answer; empty ones are ignored.

    >>> gate = StopAt(["END"])
    >>> gate.push("the E"), gate.push("ND of it"), gate.stopped
    ('the ', '', True)
    """

    def __init__(self, stops: Sequence[str]) -> None:
        self.stopped = False
        self._stops = [stop for stop in stops if stop]
        self._held = ""

    def push(self, text: str) -> str:
        """Return what of the text so far may go out now."""
        if self.stopped:
            return ""
        text = self._held + text
        found = [at for at in (text.find(stop) for stop in self._stops) if at >= 0]
        if found:
            self.stopped, self._held = True, ""
            return text[: min(found)]
        keep = max((_overlap(text, stop) for stop in self._stops), default=0)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]

    def flush(self) -> str:
        """Return what was held back; the answer is over and no stop string came."""
        held, self._held = self._held, ""
        return held


def _overlap(text: str, stop: str) -> int:
    """Return the length of the longest end of ``text`` that begins ``stop``."""
    longest = min(len(text), len(stop) - 1)
    return next((n for n in range(longest, 0, -1) if text.endswith(stop[:n])), 0)
