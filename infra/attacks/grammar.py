"""Templates with choices, made into texts."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from random import Random

Parts = dict[str, tuple[str, ...]]

_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_NAME = re.compile(r"\{([a-z_]+)\}")
_SPACES = re.compile(r" {2,}")
_LITERAL = str.maketrans("⟦⟧¦", "[]|")
_DEPTH_MAX = 200


@cache
def read_parts(name: str, package: str = __package__) -> Parts:
    """Return the templates of ``name``, a file of ``package``, by the family they stand under."""
    parts: dict[str, list[str]] = {}
    family = ""
    for line in files(package).joinpath(name).read_text("utf-8").splitlines():
        if line.startswith("= "):
            family = line[2:].strip()
            parts.setdefault(family, [])
        elif line and not line.startswith("#"):
            parts[family].append(line)
    return {family: tuple(lines) for family, lines in parts.items()}


def fill(
    template: str,
    rng: Random,
    parts: Mapping[str, Sequence[str]],
    made: Mapping[str, Callable[[Random], str]] | None = None,
) -> str:
    """Return a text made from ``template``.

    ``[a|b]`` is one of both, ``{name}`` one of the parts of that name, in which both may stand
    again. A name of which there is no part stays as it is.

    Args:
        template: What to make a text of.
        rng: What chooses.
        parts: What stands for a name.
        made: What makes the text that stands for a name.

    >>> fill("[Say|Write] {what}!", Random(3), {"what": ["[yes|no]"]})
    'Say no!'
    """
    for _ in range(_DEPTH_MAX):
        name = _NAME.search(template)
        while name and name[1] not in parts and not (made and name[1] in made):
            name = _NAME.search(template, name.end())
        choice = _CHOICE.search(template)
        if choice and (name is None or choice.start() < name.start() or "{" not in choice[0]):
            chosen = rng.choice(choice[1].split("|"))
            template = template[: choice.start()] + chosen + template[choice.end() :]
        elif name:
            maker = made.get(name[1]) if made else None
            chosen = maker(rng) if maker else rng.choice(parts[name[1]])
            template = template[: name.start()] + chosen + template[name.end() :]
        else:
            break
    return _SPACES.sub(" ", template).strip().translate(_LITERAL)
