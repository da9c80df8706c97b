"""Examples from files of rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from infra.attacks.corpus import Example
from infra.eval.rows import read_rows
from infra.eval.split import half

Part = Literal["all", "fit", "report"]


class Judged(BaseModel):
    """A text of which is known whether it is an attack."""

    model_config = ConfigDict(extra="ignore")

    text: str
    label: Literal["attack", "benign"]
    source: str = ""


class Harmless(BaseModel):
    """A text that is no attack, whatever else the row says of it."""

    model_config = ConfigDict(extra="ignore")

    text: str = Field(validation_alias=AliasChoices("text", "query", "prompt"))


def given(data: Sequence[Path], benign: Sequence[Path], part: Part = "all") -> list[Example]:
    """Return the rows of files as examples, each text once.

    Args:
        data: Files of ``text``, ``label`` (``attack`` or ``benign``) and maybe ``source``.
        benign: Files of ``text`` (or ``query``, or ``prompt``), no attack among them; the file's
            name is the source.
        part: The half of the texts to return, by the fixed split, or all.

    Raises:
        ConfigError: Naming file and line, if a file cannot be read as such.
    """
    found = [
        Example(row.text, row.label == "attack", row.source or path.stem, "")
        for path in data
        for row in read_rows(path, Judged)
    ]
    found += [
        Example(row.text, False, path.stem) for path in benign for row in read_rows(path, Harmless)
    ]
    once = {example.text: example for example in reversed(found)}
    return [one for one in reversed(once.values()) if part in ("all", half(one.text))]


def at_most(examples: Sequence[Example], count: int) -> list[Example]:
    """Return up to ``count`` examples of each source, always the same ones."""
    taken: defaultdict[str, int] = defaultdict(int)
    chosen = set()
    for example in sorted(examples, key=lambda one: sha256(one.text.encode()).digest()[1:]):
        taken[example.source] += 1
        if taken[example.source] <= count:
            chosen.add(example.text)
    return [example for example in examples if example.text in chosen]
