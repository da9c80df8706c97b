"""The files of alert rules, read again when one of them changes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from schemas.alert_rules import AlertRule
from schemas.errors import ConfigError
from schemas.registry import Registry

log = logging.getLogger(__name__)


class RuleFiles:
    """Tells when the rules of a registry have changed.

    Args:
        registry: The registry's folder.
        load: Reads the whole registry and refuses what is wrong in it.
    """

    def __init__(self, registry: Path, load: Callable[[Path], Registry]) -> None:
        self._registry = registry
        self._load = load
        self._seen = self._stamps()

    def changed(self) -> Sequence[AlertRule] | None:
        """Return all rules if a file changed since this was last asked, and none is wrong."""
        stamps = self._stamps()
        if stamps == self._seen:
            return None
        self._seen = stamps
        try:
            rules = self._load(self._registry).rules
        except ConfigError as error:
            log.error("goes on with the rules as they were: %s", error)
            return None
        log.info("has read the rules again: %s", ", ".join(sorted(rules)))
        return tuple(rules.values())

    def _stamps(self) -> dict[str, tuple[int, int]]:
        """Return when each file was last changed, in nanoseconds, and its bytes."""
        stats = ((path.name, path.stat()) for path in (self._registry / "alerts").glob("*.yaml"))
        return {name: (stat.st_mtime_ns, stat.st_size) for name, stat in stats}
