"""Silences of alert rules, written into the rule's file; all else in it stays as it is."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

import yaml

from schemas.alert_rules import AlertRule, Silence, check_rule
from schemas.errors import ConfigError
from schemas.written import parse, read

_KEY = "silences"


class RuleFile:
    """The file of one rule, and the silences in it.

    Args:
        registry: The registry's folder.
        rule: The rule's name.

    Raises:
        ConfigError: If there is no such rule, or its file cannot be read.
    """

    def __init__(self, registry: Path, rule: str) -> None:
        self._path = registry / "alerts" / f"{rule}.yaml"
        if not self._path.is_file():
            known = ", ".join(sorted(path.stem for path in self._path.parent.glob("*.yaml")))
            raise ConfigError(f"no alert rule {rule!r}; there are: {known or 'none'}", key="RULE")
        self._raw = read(self._path)
        self.silences = parse(self._path, self._raw, AlertRule).silences

    def adding(self, silence: Silence) -> bytes:
        """Return what the file would hold with one more silence.

        Raises:
            ConfigError: If the silence cannot be.
        """
        return self._with((*self.silences, silence))

    def ending(self, number: int, at: datetime) -> bytes:
        """Return what the file would hold if a silence ended at ``at``.

        One that has not begun is taken out.

        Args:
            number: Which of them, from 1.
            at: When it ends.

        Raises:
            ConfigError: If there is no such silence, or it is over.
        """
        if not 1 <= number <= len(self.silences):
            raise ConfigError(f"there are {len(self.silences)} silences", key="NUMBER")
        ended = self.silences[number - 1]
        if ended.until <= at:
            raise ConfigError(f"silence {number} is over", key="NUMBER")
        kept = [ended.model_copy(update={"until": at})] if ended.since < at else []
        return self._with((*self.silences[: number - 1], *kept, *self.silences[number:]))

    def write(self, raw: bytes) -> None:
        """Put ``raw`` in the file's place, whole or not at all.

        Raises:
            ConfigError: If it cannot be written.
        """
        beside = self._path.with_suffix(".new")
        try:
            beside.write_bytes(raw)
            os.replace(beside, self._path)
        except OSError as error:
            raise ConfigError(
                f"cannot be written: {error.strerror}", file=str(self._path)
            ) from error

    def _with(self, silences: Sequence[Silence]) -> bytes:
        text = self._raw.decode()
        begin, end = _place(text)
        lines = [f"{_KEY}:", *(f"  - {_written(one)}" for one in silences)] if silences else []
        before = text[:begin]
        if lines and before and not before.endswith("\n"):
            before += "\n"
        raw = (before + "\n".join(lines) + (text[end:] or "\n")).encode()
        check_rule(self._path, parse(self._path, raw, AlertRule))
        return raw


def open_silences(registry: Path, at: datetime) -> Iterator[tuple[str, int, Silence]]:
    """Yield the silences that are not over at ``at``: rule, number from 1, and the silence.

    Raises:
        ConfigError: If a file cannot be read.
    """
    for path in sorted((registry / "alerts").glob("*.yaml")):
        for number, silence in enumerate(RuleFile(registry, path.stem).silences, 1):
            if silence.until > at:
                yield path.stem, number, silence


def _place(text: str) -> tuple[int, int]:
    """Return where the silences stand in the text of a file, its end if there are none."""
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        if key.value == _KEY:
            return key.start_mark.index, _end(value)
    return len(text), len(text)


def _end(node: yaml.Node) -> int:
    """Return where the last word of a node ends; a block's own end is where the next begins."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(last[1] if isinstance(last, tuple) else last)
    return int(node.end_mark.index)


def _written(silence: Silence) -> str:
    said = silence.model_dump(exclude_defaults=True)
    return yaml.safe_dump(
        said, default_flow_style=True, sort_keys=False, allow_unicode=True, width=10_000
    ).strip()
