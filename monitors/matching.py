"""Many expressions over one text: one pass says which are there, a second where."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import hyperscan


@dataclass(frozen=True)
class Expression:
    """Something to look for.

    ``regex`` must take time in proportion to the text: every repetition bounded or possessive.

    Args:
        label: What it is; several expressions may share one.
        regex: Where it is, for :mod:`re` with ASCII classes.
        seed: Whether it may be there at all, for hyperscan, which knows neither looking around
            nor possessive repetition; the ``regex`` itself if not given. It must match whenever
            ``regex`` does, and should be short: hyperscan takes quadratic time over some long
            repetitions of a class that overlap themselves.
        caseless: Whether upper and lower case are the same.
    """

    label: str
    regex: str
    seed: str = ""
    caseless: bool = False


class Matcher:
    r"""Find many expressions in a text, in time proportional to it, from any thread.

    Most texts hold none of them, and hyperscan says so for all of them in one pass at hundreds of
    megabytes a second. Only what it saw is then looked for with :mod:`re`, which knows where.

    Args:
        expressions: What to look for, in the order in which it is to be reported.

    >>> matcher = Matcher([Expression("YEAR", r"(?<!\d)(?:19|20)\d\d", seed=r"(?:19|20)\d\d")])
    >>> [(label, match[0]) for label, match in matcher.find("from 1999 to 2024")]
    [('YEAR', '1999'), ('YEAR', '2024')]
    """

    def __init__(self, expressions: Sequence[Expression]) -> None:
        self._expressions = tuple(
            (expression.label, re.compile(expression.regex, _re_flags(expression)))
            for expression in expressions
        )
        self._database = _database(
            tuple((item.seed or item.regex, item.caseless) for item in expressions)
        )
        self._local = threading.local()

    def seen(self, text: str) -> list[int]:
        """Return the numbers of the expressions that may be in ``text``, in their order."""
        if self._database is None:
            return []
        local = self._local
        try:
            seen, note, scratch = local.of_thread
        except AttributeError:
            seen, note, scratch = local.of_thread = self._of_thread()
        seen.clear()
        self._database.scan(
            text.encode("utf-8", "replace"), match_event_handler=note, scratch=scratch
        )
        return sorted(seen)

    def matches(self, number: int, text: str) -> Iterator[tuple[str, re.Match[str]]]:
        """Yield label and match of every place where expression ``number`` is in ``text``."""
        label, regex = self._expressions[number]
        for match in regex.finditer(text):
            yield label, match

    def find(self, text: str) -> Iterator[tuple[str, re.Match[str]]]:
        """Yield label and match of everything found, expression by expression."""
        for number in self.seen(text):
            yield from self.matches(number, text)

    def _of_thread(self) -> tuple[list[int], object, hyperscan.Scratch]:
        """Return this thread's list, what adds to it, and hyperscan's working memory.

        No two threads may share the memory.
        """
        seen: list[int] = []

        def note(number: int, *_: object) -> None:
            seen.append(number)

        return seen, note, hyperscan.Scratch(self._database)


class StreamMatcher:
    r"""Say which expressions may be in a text that comes piece by piece.

    Args:
        expressions: What to look for.

    >>> stream = StreamMatcher([Expression("YEAR", r"(?:19|20)\d\d")]).open()
    >>> stream.seen("it was in 19"), stream.seen("99"), stream.seen(" or so")
    (set(), {0}, set())
    """

    def __init__(self, expressions: Sequence[Expression]) -> None:
        seeds = tuple((item.seed or item.regex, item.caseless) for item in expressions)
        self._database = _database(seeds, in_pieces=True)

    def open(self) -> TextStream:
        """Return a text of which nothing has come yet; all of them are read by one thread."""
        return TextStream(self._database)


class TextStream:
    """A text that comes piece by piece.

    Args:
        database: What is looked for; None if nothing is.
    """

    def __init__(self, database: hyperscan.Database | None) -> None:
        self._seen: set[int] = set()
        # hyperscan keeps neither the database nor what it calls alive by itself.
        self._kept = (database, self._note)
        self._stream = None
        if database is not None:
            self._stream = database.stream(match_event_handler=self._kept[1])
            self._stream.__enter__()

    def seen(self, piece: str) -> set[int]:
        """Return the numbers of the expressions that may end in ``piece``, wherever they begin."""
        self._seen.clear()
        if self._stream is not None and piece:
            self._stream.scan(piece.encode("utf-8", "replace"))
        return set(self._seen)

    def close(self) -> None:
        """Give the memory back; nothing can be read afterwards."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()

    def _note(self, number: int, *_: object) -> None:
        self._seen.add(number)


@lru_cache(maxsize=64)
def _database(
    seeds: tuple[tuple[str, bool], ...], in_pieces: bool = False
) -> hyperscan.Database | None:
    """Return the compiled seeds, of which policies with the same guards share one; None of none."""
    if not seeds:
        return None
    mode = hyperscan.HS_MODE_STREAM if in_pieces else hyperscan.HS_MODE_BLOCK
    database = hyperscan.Database(mode=mode)
    database.compile(
        expressions=[seed.encode() for seed, _ in seeds],
        ids=list(range(len(seeds))),
        elements=len(seeds),
        flags=[_seed_flags(caseless, once=not in_pieces) for _, caseless in seeds],
    )
    return database


def _re_flags(expression: Expression) -> re.RegexFlag:
    return re.ASCII | re.IGNORECASE if expression.caseless else re.ASCII


def _seed_flags(caseless: bool, *, once: bool) -> int:
    flags: int = hyperscan.HS_FLAG_SINGLEMATCH if once else 0
    return flags | hyperscan.HS_FLAG_CASELESS if caseless else flags
