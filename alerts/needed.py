"""Which findings rules need, told before they are decoded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from schemas.alert_rules import QUERIED, AlertRule

CLOCK = "clock"
"""Stands where a monitor's name would, in findings that say that time has passed."""


class Needed:
    """Which findings rules need: most are plain values that none does, and stay undecoded.

    Args:
        rules: All rules.

    Attributes:
        time: Whether one of them needs to know that time passes.
    """

    def __init__(self, rules: Sequence[AlertRule]) -> None:
        self._evidence = any(rule.false_alarms for rule in rules)
        valued = [rule for rule in rules if rule.judges_values or rule.absent_s is not None]
        self._all = any(rule.findings == "all" and not rule.query for rule in valued)
        self._monitors = {CLOCK, QUERIED}
        for rule in valued:
            if rule.findings != "all":
                self._monitors.update(rule.findings)
        self.time = any(
            rule.for_s
            or rule.cooldown_s
            or rule.silences
            or rule.unless
            or rule.query
            or rule.absent_s is not None
            for rule in rules
        )

    def is_met_by(self, finding: Mapping[str, Any]) -> bool:
        """Return whether the finding, as JSON has it, is needed."""
        monitor = finding.get("monitor")
        return (
            finding.get("kind") != "value"
            or self._all
            or (isinstance(monitor, str) and monitor in self._monitors)
            or (self._evidence and finding.get("e_value") is not None)
        )
