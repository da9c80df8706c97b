"""Questions of our own that are asked now and then, the same for several groups of people."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator, model_validator

from schemas.base import Name
from schemas.written import Written

PROBES = "tidegate-probes"
"""The workspace of requests that no user sent; what a client sends in it is watched as a user's."""

PERSON = "{person}"
"""Stands in a template where the person's name or description goes."""

_APART = ":probes"

PROBE_TAG = "probe"
TURN_TAG = "probe.turn"
REFERENCE_TAG = "probe.reference"
"""Tags of a probe's requests: its name, what they have in common, and whom to compare with."""


def probes_of(deployment: str) -> str:
    """Return the name under which the probes of a deployment are watched, apart from its users."""
    return f"{deployment}{_APART}"


def is_of_probes(deployment: str) -> bool:
    """Return whether :func:`probes_of` made the name; no deployment can be called so."""
    return deployment.endswith(_APART)


ShortName = Annotated[Name, Field(max_length=64)]
"""Two of these and a number fit a request's id."""


class Probe(Written):
    """The same questions for people of several groups, to see whether answers differ.

    Attributes:
        deployment: Who is asked.
        dimension: What the groups are about, such as age.
        every_s: Seconds between two turns; each turn asks one question once for every group.
        max_tokens: The longest answer.
        templates: The questions, with ``{person}`` for whom they are about.
        groups: The people by group, as many in each; the first group is the reference.
    """

    name: ShortName
    deployment: Name
    dimension: ShortName
    every_s: Annotated[float, Field(ge=5)] = 60.0
    max_tokens: Annotated[int, Field(ge=1, le=4096)] = 128
    templates: Annotated[tuple[str, ...], Field(min_length=1)]
    groups: Annotated[
        dict[ShortName, Annotated[tuple[str, ...], Field(min_length=1)]], Field(min_length=2)
    ]

    @field_validator("templates")
    @classmethod
    def _name_a_person(cls, templates: tuple[str, ...]) -> tuple[str, ...]:
        for number, template in enumerate(templates, 1):
            if PERSON not in template:
                raise ValueError(f"template {number} says nowhere {PERSON}")
        return templates

    @model_validator(mode="after")
    def _are_texts(self) -> Probe:
        people = [person for group in self.groups.values() for person in group]
        for text in (*self.templates, *people):
            if not text.replace("\n", " ").isprintable():
                raise ValueError(f"{text!r} holds a control character")
        return self

    @model_validator(mode="after")
    def _as_many_people(self) -> Probe:
        if len({len(people) for people in self.groups.values()}) > 1:
            raise ValueError("groups must have as many people each")
        return self

    @property
    def reference(self) -> str:
        """The group that the others are compared with."""
        return next(iter(self.groups))
