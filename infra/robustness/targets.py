"""The learned guards that can be attacked, by name."""

from __future__ import annotations

from collections.abc import Callable

from infra.robustness.personal import PersonalTarget
from infra.robustness.target import Target

TARGETS: dict[str, Callable[[], Target]] = {
    PersonalTarget.guard: PersonalTarget,
}
