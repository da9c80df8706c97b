"""Texts that no training sees: ordinary instructions, and documents with and without orders."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from infra.attacks.corpus import Example
from infra.attacks.grammar import fill, read_parts


def held_documents(seed: int = 0, count: int = 400) -> Iterator[Example]:
    """Yield e-mails, pages and tables, every other one with an order to the model in it."""
    rng = Random(f"held {seed}")
    parts = {**read_parts("slots.txt"), **read_parts("held.txt")}
    for number in range(count):
        attack = number % 2 == 0

        def line(rng: Random) -> str:
            return rng.choice(parts["held_plain"])

        def order(rng: Random, attack: bool = attack) -> str:
            return rng.choice(parts["held_orders" if attack else "held_plain"])

        made = {"line": line, "order": order}
        text = fill(rng.choice(parts["held_documents"]), rng, parts, made).replace("\\n", "\n")
        if rng.random() < 0.5:
            text = f"{fill(rng.choice(parts['held_tasks']), rng, parts)} {text}"
        yield Example(text, attack, "held documents")


def held_instructions(seed: int = 0) -> Iterator[Example]:
    """Yield ordinary instructions, and attacks that need no document, one text a template."""
    rng = Random(f"held {seed}")
    parts = {**read_parts("parts.txt"), **read_parts("slots.txt"), **read_parts("held.txt")}
    for family in ("held_benign", "held_plain", "held_prompts"):
        for template in parts[family]:
            text = fill(template, rng, parts)
            yield Example(text, family == "held_prompts", "held instructions")
