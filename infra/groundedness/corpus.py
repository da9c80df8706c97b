"""Passages, and sentences about them that are right, wrong in a detail, or made up."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from random import Random

_SLOT = re.compile(r"\{(\w+)\}")
_CITIES = (
    "Lisbon Oslo Ghent Porto Leeds Turin Basel Cork Graz Malmo Lyon Gdansk Seville Utrecht Bergen"
    " Trieste Bristol Tallinn Brno Nantes"
)
_GIVEN = "Maria Jonas Aisha Tomas Elena Viktor Priya Samuel Ingrid Omar Clara Dmitri Lucia Henrik"
_FAMILY = "Novak Lindqvist Moreau Haddad Okafor Brandt Rossi Tanaka Kowalska Pereira Byrne Weiss"
_FIRMS = "Norvale Brightwater Casterline Ostermann Fenwick Halden Quillon Marrow Tessel Varga"
_PRODUCTS = "Aurora Summit Breeze Harbour Lantern Meridian Pebble Falcon Juniper Orbit Cobalt Sable"
_EVENTS = "Book Fair|Harbour Run|Jazz Week|Light Festival|Hill Race|Science Days|Spring Cup"
_DAYS = "two three four five six 7 8 10 14 21"
_MONTHS = "January February March April May June July August September October November December"
_FAULTS = (
    ("denied", "elsewhere"),
    ("value", "value", "denied", "elsewhere"),
    ("value", "value", "mixed", "denied", "elsewhere"),
)
"""What can be wrong with a sentence of no, one, or more values."""


@dataclass(frozen=True)
class Claim:
    """A sentence of an answer.

    Args:
        sentence: What it says.
        passages: What was retrieved.
        question: What was asked.
        unsupported: Whether the passages do not say so.
        kind: Of which kind of fact it is.
        fault: What is wrong with it; empty if nothing is.
    """

    sentence: str
    passages: tuple[str, ...]
    question: str
    unsupported: bool
    kind: str
    fault: str = ""


def claims(seed: int, kinds: Sequence[str] = ()) -> Iterator[Claim]:
    """Yield claims about facts without end, half of them unsupported; all kinds if none are given.

    What is unsupported has a value that no passage has, the value of another fact in the
    passages, a denial, or is about something that the passages do not speak of.
    """
    rng = Random(f"claims {seed}")
    names = list(kinds or facts())
    while True:
        kind, other_kind = rng.sample(names, 2) if len(names) > 1 else (names[0], names[0])
        lines = facts()[kind]
        values, others = _values(rng), _values(rng)
        passages = [_fill(rng.choice(lines["p"]), values), _fill(rng.choice(lines["p"]), others)]
        passages.append(_fill(rng.choice(facts()[other_kind]["p"]), _values(rng)))
        rng.shuffle(passages)
        said = rng.choice(lines["a"])
        right = _fill(said, values)
        question = f"What about the {kind}?"
        yield Claim(right, tuple(passages), question, False, kind)
        slots = _SLOT.findall(said)
        fault = rng.choice(_FAULTS[min(2, len(slots))])
        if fault == "value":
            slot = rng.choice(slots)
            wrong = _fill(said, {**values, slot: _values(rng)[slot]})
        elif fault == "mixed":
            slot = rng.choice(slots)
            wrong = _fill(said, {**values, slot: others[slot]})
        elif fault == "denied":
            wrong = _fill(rng.choice(lines["n"]), values)
        else:
            elsewhere = [name for name in names if name not in (kind, other_kind)]
            wrong = _fill(rng.choice(facts()[rng.choice(elsewhere or [kind])]["a"]), _values(rng))
        if wrong != right:
            yield Claim(wrong, tuple(passages), question, True, kind, fault)


@cache
def facts() -> Mapping[str, Mapping[str, Sequence[str]]]:
    """Return the lines of each kind of fact by their first letter."""
    found: dict[str, dict[str, list[str]]] = {}
    kind = ""
    for line in files(__package__).joinpath("facts.txt").read_text("utf-8").splitlines():
        if line.startswith("= "):
            kind = line[2:]
        elif line and not line.startswith("#"):
            found.setdefault(kind, {}).setdefault(line[0], []).append(line[2:])
    return found


def _fill(form: str, values: Mapping[str, str]) -> str:
    return _SLOT.sub(lambda slot: values[slot[1]], form)


def _values(rng: Random) -> dict[str, str]:
    hour = rng.randrange(6, 15)
    sign = rng.choice("£€$")
    return {
        "money": f"{sign}{rng.randrange(2, 90)}{rng.choice(('', '.50', '.90'))}",
        "amount": f"{sign}{rng.randrange(1, 60) * 100:,}",
        "city": rng.choice(_CITIES.split()),
        "person": f"{rng.choice(_GIVEN.split())} {rng.choice(_FAMILY.split())}",
        "firm": rng.choice(_FIRMS.split()),
        "product": rng.choice(_PRODUCTS.split()),
        "event": rng.choice(_EVENTS.split("|")),
        "days": rng.choice(_DAYS.split()),
        "months": str(rng.choice((6, 12, 18, 24, 30, 36, 48))),
        "hour": f"{hour}:{rng.choice(('00', '15', '30', '45'))}",
        "later": f"{hour + rng.randrange(3, 9)}:{rng.choice(('00', '30'))}",
        "percent": f"{rng.randrange(1, 60)}.{rng.randrange(1, 9)} %",
        "date": f"{rng.randrange(1, 29)} {rng.choice(_MONTHS.split())} {rng.randrange(1990, 2030)}",
        "year": str(rng.randrange(1800, 2025)),
        "count": f"{rng.randrange(2, 900) * 100:,}",
        "length": str(rng.randrange(40, 2500)),
        "dose": str(rng.randrange(1, 40) * 25),
        "platform": str(rng.randrange(1, 24)),
    }
