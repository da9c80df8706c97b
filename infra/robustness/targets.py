"""The learned guards that can be attacked, by name."""

from __future__ import annotations

from infra.robustness.embedded import scope_target
from infra.robustness.personal import PersonalTarget
from infra.robustness.target import Meet

TARGETS: dict[str, Meet] = {
    "personal": PersonalTarget,
    "scope": scope_target,
}
