"""Guards that look for expressions: however many there are, a text is read for them once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar, NamedTuple

from monitors.decoding import TRIGGERS, View, decoded
from monitors.folding import Folded
from monitors.guard import Cost, Scan
from monitors.matching import Expression, Matcher
from monitors.text import Source, Text


class Hit(NamedTuple):
    """One place where an expression was found.

    Args:
        label: The expression's.
        match: Where, in ``source.text``.
        source: The form of the text it is in, which knows the place in the text itself.
    """

    label: str
    match: re.Match[str]
    source: Source


class PatternGuard:
    """A guard that reads what its expressions hit.

    A subclass sets ``expressions`` and defines :meth:`read`; the rest of what
    :class:`monitors.guard.Guard` asks for it sets as any guard does.

    Attributes:
        expressions: What it looks for; set by the class, or by the constructor before any text is
            read. Hits come in this order.
        views: The ways of decoding in which it wants to read texts that hint at them, too.
        reads_all: Whether it wants to read texts without a hit, too. The others pass them unread,
            which costs nothing.
        judges_whole: Whether what stands further on may clear what it found, so that an answer is
            not judged before it is complete.
    """

    cost: ClassVar[Cost] = Cost.PATTERN
    expressions: Sequence[Expression] = ()
    views: ClassVar[frozenset[View]] = frozenset()
    reads_all: ClassVar[bool] = False
    judges_whole: bool = False

    def read(self, text: Text, hits: Iterable[Hit]) -> Scan:
        """Return the scan of ``text``, given where the expressions hit, found as one goes on.

        Must be defined by the subclass.
        """
        raise NotImplementedError

    def read_ahead(self, texts: Sequence[Text]) -> None:
        """Put into each text's ``ahead`` what is cheaper to find out about many at once.

        Asked of guards that read all texts, before they read each; it may do nothing.
        """

    def scan(self, texts: Sequence[str]) -> list[Scan]:
        """Return one scan per text, in order."""
        return [self.scan_alone(Text(text)) for text in texts]

    def scan_alone(self, text: Text) -> Scan:
        """Return the scan of one text, read for this guard alone."""
        pack: Pack | None = getattr(self, "_pack", None)
        if pack is None:
            pack = self._pack = Pack((self,))
        hits = pack.hits(text).get(0)
        if hits is None and not self.reads_all:
            return Scan(0.0, len(text.original))
        return self.read(text, hits or ())


class Pack:
    """The expressions of many guards in one database, with what hints at something encoded.

    Args:
        guards: They are known by their place in this sequence.
    """

    def __init__(self, guards: Sequence[PatternGuard]) -> None:
        owned = [(place, item) for place, guard in enumerate(guards) for item in guard.expressions]
        self._owners = tuple(place for place, _ in owned)
        self._readers = {
            view: frozenset(place for place, guard in enumerate(guards) if view in guard.views)
            for view in View
        }
        hints = [hint for hint in TRIGGERS if self._readers[View(hint.label)]]
        self._views = {len(owned) + n: View(hint.label) for n, hint in enumerate(hints)}
        self._matcher = Matcher([*(item for _, item in owned), *hints])

    def hits(self, text: Text) -> dict[int, Iterator[Hit]]:
        """Return the hits of each guard that may have any, by its place; looked for when read."""
        folded = text.folded
        seen = self._matcher.seen(folded.text)
        if not seen:
            return {}
        found: dict[int, list[tuple[Source, int]]] = {}
        owners = self._owners
        for number in seen:
            if number < len(owners):
                found.setdefault(owners[number], []).append((folded, number))
            else:
                self._decode(folded, self._views[number], found)
        return {place: self._matches(pairs) for place, pairs in found.items()}

    def _decode(
        self, folded: Folded, view: View, found: dict[int, list[tuple[Source, int]]]
    ) -> None:
        """Add to ``found`` what is seen in ``folded`` when it is read as ``view``."""
        readers = self._readers[view]
        for source in decoded(folded, view):
            for number in self._matcher.seen(source.text):
                if number < len(self._owners) and self._owners[number] in readers:
                    found.setdefault(self._owners[number], []).append((source, number))

    def _matches(self, pairs: Sequence[tuple[Source, int]]) -> Iterator[Hit]:
        for source, number in pairs:
            for label, match in self._matcher.matches(number, source.text):
                yield Hit(label, match, source)
