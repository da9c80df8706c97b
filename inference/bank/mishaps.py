"""What customers should not send: attempts to turn the model, and personal numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from random import Random
from typing import Any, Literal

import yaml

from inference.bank.numbers import card_number, iban
from inference.bank.wording import word

DO_NOT_SHARE = "For your safety, please do not write card or account numbers here. Use the app."


@dataclass(frozen=True)
class Mishap:
    """A message that a guard should notice; ``values`` are the personal numbers in it."""

    text: str
    kind: Literal["injection", "card", "iban"]
    values: tuple[str, ...] = ()


@cache
def attempts() -> dict[str, Any]:
    """Return the templates, as they are written."""
    content = files("inference.bank").joinpath("attempts.yaml").read_text()
    loaded: dict[str, Any] = yaml.safe_load(content)
    return loaded


def injections(seed: int) -> Iterator[Mishap]:
    """Yield attempts to override the model's instructions, without end."""
    content, rng = attempts(), Random(f"injections {seed}")
    while True:
        yield Mishap(word(rng.choice(content["injections"]), content["slots"], rng), "injection")


def pasted(seed: int) -> Iterator[Mishap]:
    """Yield messages with a card number or an IBAN in them, without end."""
    content, rng = attempts(), Random(f"pasted {seed}")
    while True:
        card = rng.random() < 0.5
        value = card_number(rng) if card else iban(rng)
        template = rng.choice(content["cards" if card else "ibans"])
        slots = {**content["slots"], "card": [value], "iban": [value]}
        yield Mishap(word(template, slots, rng), "card" if card else "iban", (value,))
