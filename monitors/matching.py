"""Many expressions over one text: one pass says which are there, a second where."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

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
        self._database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        self._database.compile(
            expressions=[(item.seed or item.regex).encode() for item in expressions],
            ids=list(range(len(expressions))),
            elements=len(expressions),
            flags=[_seed_flags(item) for item in expressions],
        )
        self._local = threading.local()

    def find(self, text: str) -> Iterator[tuple[str, re.Match[str]]]:
        """Yield label and match of everything found, expression by expression."""
        seen: list[int] = []
        self._database.scan(
            text.encode("utf-8", "replace"),
            match_event_handler=lambda number, *_: seen.append(number),
            scratch=self._scratch(),
        )
        for number in sorted(seen):
            label, regex = self._expressions[number]
            for match in regex.finditer(text):
                yield label, match

    def _scratch(self) -> hyperscan.Scratch:
        """Return this thread's working memory; two threads may not share one."""
        scratch: hyperscan.Scratch | None = getattr(self._local, "scratch", None)
        if scratch is None:
            scratch = self._local.scratch = hyperscan.Scratch(self._database)
        return scratch


def _re_flags(expression: Expression) -> re.RegexFlag:
    return re.ASCII | re.IGNORECASE if expression.caseless else re.ASCII


def _seed_flags(expression: Expression) -> int:
    flags = hyperscan.HS_FLAG_SINGLEMATCH
    return flags | hyperscan.HS_FLAG_CASELESS if expression.caseless else flags
