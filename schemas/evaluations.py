"""What is measured of guards apart from traffic."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from schemas.base import Event, Name


class GuardAttacked(Event):
    """How much of what a guard's version has to find it still finds under one attack.

    ``samples`` texts were attacked, of which it finds ``found_unattacked`` as they are and
    ``found`` whatever the attacker tries. The attack ``none`` changes nothing. ``queries`` are the
    readings that the attacker asks for, a text, on average; ``epsilon`` bounds how far features are
    moved where the attack works on what the model sees, not on the text. Figures with one
    ``data_version`` are of the same texts.
    """

    type: Literal["guard_attacked"] = "guard_attacked"
    guard: Name
    guard_version: str
    attack: Name
    kind: Literal["none", "character", "word", "paraphrase", "search", "features"]
    data_version: str
    threshold: float = Field(ge=0, le=1)
    samples: int = Field(ge=1)
    found_unattacked: int = Field(ge=0)
    found: int = Field(ge=0)
    queries: float = Field(ge=0)
    epsilon: float | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _finds_no_more_than_there_is(self) -> GuardAttacked:
        if max(self.found, self.found_unattacked) > self.samples:
            raise ValueError("found and found_unattacked are of the samples: never more")
        return self
