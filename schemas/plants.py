"""Texts of our own that a guard must find, sent now and then to see whether it still does."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from schemas.base import Name
from schemas.probes import ShortName
from schemas.written import Written

PLANT_TAG = "plant"
PLANT_GUARD_TAG = "plant.guard"
PLANT_TURN_TAG = "plant.turn"
PLANT_EVERY_TAG = "plant.every_s"
"""Tags of a planted request: its plant's name, who must find it, its turn and the time between."""


class Plant(Written):
    """Prompts that a guard must find, one a turn.

    A guard that blocks makes them cost nothing; where it fails, a model answers one token.

    Attributes:
        deployment: Whose guard it is.
        guard: The guard that must speak.
        every_s: Seconds between two turns.
        texts: The prompts, taken in turns.
    """

    name: ShortName
    deployment: Name
    guard: Name
    every_s: Annotated[float, Field(ge=5)] = 60.0
    texts: Annotated[tuple[str, ...], Field(min_length=1)]

    @field_validator("texts")
    @classmethod
    def _are_texts(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        for number, text in enumerate(texts, 1):
            if not text.strip() or not text.replace("\n", " ").isprintable():
                raise ValueError(f"text {number} is empty or holds a control character")
        return texts
