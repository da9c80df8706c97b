"""Many wordings out of one template, and the ways in which people type them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from random import Random

Slots = Mapping[str, Sequence[str]]

_CHOICE = re.compile(r"\(([^()]*\|[^()]*)\)")
_SLOT = re.compile(r"\{([a-z_]+)\}")
_SPACES = re.compile(r" {2,}| (?=[.,?!])")

TRAIN_OPENINGS = (
    *("",) * 8,
    "Hi, ",
    "Hello, ",
    "Hello. ",
    "Good morning, ",
    "Good evening. ",
    "Quick question: ",
    "Excuse me, ",
)
DEMO_OPENINGS = (*("",) * 8, "Hey, ", "Hi there, ", "Dear team, ", "Good afternoon. ", "Tell me: ")
CLOSINGS = (*("",) * 12, " Thanks.", " Thank you!", " Please help.")


def word(template: str, slots: Slots, rng: Random, chosen: dict[str, str] | None = None) -> str:
    """Return one wording of ``template``.

    ``(a|b)`` is one of its alternatives and ``{name}`` one of the slot's values, the same one
    wherever the slot is named.

    Args:
        template: What to word.
        slots: The values each slot may take.
        rng: Decides.
        chosen: Values of slots chosen already; what is chosen here is added.

    Raises:
        KeyError: If the template names a slot that ``slots`` lacks.

    >>> word("(Where|When) is my {card}?", {"card": ["card", "debit card"]}, Random(4))
    'Where is my debit card?'
    """
    values = {} if chosen is None else chosen
    text = _CHOICE.sub(lambda match: rng.choice(match[1].split("|")), template)

    def value(match: re.Match[str]) -> str:
        name = match[1]
        if name not in values:
            values[name] = rng.choice(slots[name])
        return values[name]

    text = _SPACES.sub(lambda match: "" if len(match[0]) == 1 else " ", _SLOT.sub(value, text))
    return text[:1].upper() + text[1:]


def wordings(template: str, slots: Slots) -> int:
    """Return how many wordings ``template`` has.

    >>> wordings("(Where|When) is my {card}?", {"card": ["card", "debit card"]})
    4
    """
    count = 1
    for match in _CHOICE.finditer(template):
        count *= len(match[1].split("|"))
    for name in set(_SLOT.findall(template)):
        count *= len(slots[name])
    return count


def typed(text: str, openings: Sequence[str], rng: Random) -> str:
    """Return ``text`` as somebody may type it: greeted, thanked, in a hurry, with a slip.

    >>> typed("Where is my card?", DEMO_OPENINGS, Random(1))
    'Where is my card?'
    """
    opening = rng.choice(openings)
    if opening and opening[-2] in ",:":
        text = _lowered(text)
    text = opening + text + rng.choice(CLOSINGS)
    habit = rng.random()
    if habit < 0.08:
        return text.lower()
    if habit < 0.16:
        return text.rstrip("?.!")
    if habit < 0.22:
        return _slipped(text, rng)
    return text


def _lowered(text: str) -> str:
    """Return ``text`` with a small first letter, unless it is "I" or an abbreviation."""
    first = text.split(maxsplit=1)[0]
    return text if first.startswith(("I'", "I")) and len(first) < 4 else text[:1].lower() + text[1:]


def _slipped(text: str, rng: Random) -> str:
    """Return ``text`` with two neighbouring letters swapped inside one of its words."""
    places = [index for index in range(1, len(text) - 2) if text[index : index + 2].isalpha()]
    if not places:
        return text
    at = rng.choice(places)
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
