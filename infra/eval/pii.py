"""How well personal data is found, span by span and character by character."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

from pydantic import BaseModel, ConfigDict

from infra.eval.rows import read_rows
from infra.eval.split import half
from monitors.guard import Guard
from monitors.personal import LABELS, Personal
from monitors.pii import KINDS, Pii
from monitors.spans import united
from schemas.verdicts import Span

Finder = Callable[[str], Sequence[Span]]

PATTERN_TYPES = frozenset(
    {
        "CREDIT_CARD",
        "IBAN_CODE",
        "US_SSN",
        "EMAIL_ADDRESS",
        "PHONE_NUMBER",
        "IP_ADDRESS",
        "URL",
        "DOMAIN_NAME",
        "MAC_ADDRESS",
        "US_DRIVER_LICENSE",
        "US_PASSPORT",
        "NATIONAL_ID",
        "CRYPTO",
    }
)
"""Types whose values have a form of their own, so that an expression can find them."""

TYPES = {
    "PERSON": "PERSON",
    "ADDRESS": "STREET_ADDRESS",
    "PLACE": "GPE",
    "ORGANIZATION": "ORGANIZATION",
    "GROUP": "NRP",
    "TITLE": "TITLE",
    "AGE": "AGE",
    "DATE": "DATE_TIME",
    "BIRTH_DATE": "DATE_TIME",
    "ZIP": "ZIP_CODE",
    "CARD": "CREDIT_CARD",
    "IBAN": "IBAN_CODE",
    "SSN": "US_SSN",
    "EMAIL": "EMAIL_ADDRESS",
    "PHONE": "PHONE_NUMBER",
    "IP": "IP_ADDRESS",
    "URL": "URL",
    "MAC": "MAC_ADDRESS",
    "LICENCE": "US_DRIVER_LICENSE",
    "PASSPORT": "US_PASSPORT",
    "NATIONAL_ID": "NATIONAL_ID",
    "CRYPTO": "CRYPTO",
}
"""What the guards' labels are called in labelled files, which take presidio-research's names."""

_SAMPLES = 1000


class Row(BaseModel):
    """One labelled text."""

    model_config = ConfigDict(extra="ignore")

    class Labelled(BaseModel):
        """One labelled stretch of it."""

        type: str
        start: int
        end: int

    text: str
    spans: list[Labelled]
    template: int | str | None = None


@dataclass
class Tally:
    """Counts whose sums make the figures; one per template, so that templates can be resampled."""

    wanted: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    named: Counter[str] = field(default_factory=Counter)
    right: Counter[str] = field(default_factory=Counter)
    exact: Counter[str] = field(default_factory=Counter)
    chars: Counter[str] = field(default_factory=Counter)

    def add(self, other: Tally) -> None:
        """Add the counts of ``other``."""
        for name in ("wanted", "found", "named", "right", "exact", "chars"):
            getattr(self, name).update(getattr(other, name))

    def f1(self, types: Iterable[str] | None = None) -> float | None:
        """Return the overlap F1 over ``types``, all if not given; None of nothing."""
        precision = self._rate(self.right, self.named, types)
        recall = self._rate(self.found, self.wanted, types)
        return _harmonic(precision, recall)

    def exact_f1(self, types: Iterable[str] | None = None) -> float | None:
        """Return the F1 of spans whose bounds and type are those of the label."""
        precision = self._rate(self.exact, self.named, types)
        return _harmonic(precision, self._rate(self.exact, self.wanted, types))

    def char_rate(self, of: str) -> float | None:
        """Return which share of the characters labelled (or found) is found (or labelled)."""
        return self.chars["both"] / self.chars[of] if self.chars[of] else None

    @staticmethod
    def _rate(hits: Counter[str], n: Counter[str], types: Iterable[str] | None) -> float | None:
        kept = list(types) if types is not None else list(hits | n)
        total = sum(n[kind] for kind in kept)
        return sum(hits[kind] for kind in kept) / total if total else None


def evaluate(path: Path, part: str = "all", beside: bool = False) -> dict[str, Any]:
    """Return the figures of the guards on the labelled texts of ``path``.

    A found span is right if it overlaps a label of its type; a label is found if a span of its
    type overlaps it. Characters count whatever the type. Intervals are percentiles over resampled
    templates, for texts of one template are no independent witnesses.

    Args:
        path: Rows of ``text``, ``spans`` and ``template``, or a folder with such a ``pii.jsonl``.
        part: ``fit`` or ``report``, the half of the templates to judge on, or ``all``.
        beside: Whether presidio is judged in the same run, if it is installed.
    """
    rows = read_rows(path / "pii.jsonl" if path.is_dir() else path, Row)
    if part != "all":
        rows = [row for row in rows if half(str(row.template)) == part]
    known = {span.type for row in rows for span in row.spans}
    report = {"n": len(rows), "templates": len({row.template for row in rows}), "part": part}
    report |= judge(
        rows,
        _guards([Pii(Pii.Options(labels=KINDS)), Personal(Personal.Options(labels=LABELS))]),
        known,
    )
    report["as_shipped"] = _as_shipped(rows, _guards([Pii(), Personal()]), known)
    if beside:
        from infra.eval.presidio import finders

        report["beside"] = {name: judge(rows, finder, known) for name, finder in finders().items()}
    return report


def _as_shipped(rows: Sequence[Row], finder: Finder, known: set[str]) -> dict[str, Any]:
    """Return the figures of the guards with the options they ship with, on the types they mask."""
    figures = judge(rows, finder, known)
    masked = {TYPES[label] for label in (*Pii.Options().labels, *Personal.Options().labels)}
    by_type = {kind: got for kind, got in figures["by_type"].items() if kind in masked}
    return {"by_type": by_type, "ms_per_kb": figures["ms_per_kb"]}


def judge(rows: Sequence[Row], finder: Finder, known: set[str]) -> dict[str, Any]:
    """Return the figures of ``finder`` on ``rows``; spans of types no row has do not count."""
    finder(rows[0].text)
    began = perf_counter()
    spans = [finder(row.text) for row in rows]
    taken_s = perf_counter() - began
    tallies: defaultdict[str, Tally] = defaultdict(Tally)
    for row, found in zip(rows, spans, strict=True):
        tallies[str(row.template)].add(_tally(row, found, known))
    total = Tally()
    for tally in tallies.values():
        total.add(tally)
    patterns = sorted(PATTERN_TYPES & known)
    figures: dict[str, Callable[[Tally], float | None]] = {
        "f1_overlap": lambda tally: tally.f1(),
        "f1_exact": lambda tally: tally.exact_f1(),
        "char_recall": lambda tally: tally.char_rate("wanted"),
        "char_precision": lambda tally: tally.char_rate("named"),
        "pattern_f1_overlap": lambda tally: tally.f1(patterns),
    }
    values = {name: _rounded(figure(total)) for name, figure in figures.items()}
    pattern_f1 = values.pop("pattern_f1_overlap")
    return {
        **values,
        "by_type": {
            kind: {
                "n": total.wanted[kind],
                "f1_overlap": _rounded(total.f1([kind])),
                "f1_exact": _rounded(total.exact_f1([kind])),
            }
            for kind in sorted(known)
        },
        "pattern_types": {
            "types": patterns,
            "n": sum(total.wanted[kind] for kind in patterns),
            "f1_overlap": pattern_f1,
            "f1_exact": _rounded(total.exact_f1(patterns)),
        },
        "ms_per_kb": round(1000 * taken_s / (sum(len(row.text) for row in rows) / 1000), 3),
        "ci95": _intervals(list(tallies.values()), figures),
    }


def _guards(guards: Sequence[Guard]) -> Finder:
    """Return what finds what any of ``guards`` does, those named first being the surer."""

    def find(text: str) -> list[Span]:
        found: list[Span] = []
        for guard in guards:
            (scan,) = guard.scan([text])
            found += [s for s in scan.spans if not any(_overlap(s, other) for other in found)]
        return [Span(start=s.start, end=s.end, label=TYPES.get(s.label, s.label)) for s in found]

    return find


def _overlap(one: Any, other: Any) -> bool:
    return bool(one.start < other.end and other.start < one.end)


def _tally(row: Row, found: Sequence[Span], known: set[str]) -> Tally:
    tally = Tally()
    named = [span for span in found if span.label in known]
    for label in row.spans:
        tally.wanted[label.type] += 1
        same = [span for span in named if span.label == label.type]
        tally.found[label.type] += any(_overlap(label, span) for span in same)
        tally.exact[label.type] += any(
            (label.start, label.end) == (span.start, span.end) for span in same
        )
    for span in named:
        tally.named[span.label] += 1
        tally.right[span.label] += any(
            _overlap(label, span) for label in row.spans if label.type == span.label
        )
    wanted = _covered(Span(start=s.start, end=s.end, label="ANY") for s in row.spans)
    got = _covered(found)
    tally.chars.update(wanted=len(wanted), named=len(got), both=len(wanted & got))
    return tally


def _covered(spans: Iterable[Span]) -> set[int]:
    return {place for span in united(spans) for place in range(span.start, span.end)}


def _harmonic(precision: float | None, recall: float | None) -> float | None:
    if precision is None or recall is None:
        return 0.0 if (precision is not None or recall is not None) else None
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _intervals(
    tallies: Sequence[Tally], figures: dict[str, Callable[[Tally], float | None]]
) -> dict[str, tuple[float, float] | None]:
    """Return for each figure the 95 % interval over templates drawn with replacement."""
    rng = random.Random(0)
    drawn: dict[str, list[float]] = {name: [] for name in figures}
    for _ in range(_SAMPLES):
        total = Tally()
        for tally in rng.choices(tallies, k=len(tallies)):
            total.add(tally)
        for name, figure in figures.items():
            value = figure(total)
            if value is not None:
                drawn[name].append(value)
    return {name: _middle(sorted(values)) for name, values in drawn.items()}


def _middle(values: Sequence[float]) -> tuple[float, float] | None:
    if not values:
        return None
    last = len(values) - 1
    return round(values[int(0.025 * last)], 4), round(values[int(0.975 * last)], 4)
