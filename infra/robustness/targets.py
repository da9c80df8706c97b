"""The learned guards that can be attacked, by name."""

from __future__ import annotations

from infra.robustness.answers import AnswersTarget
from infra.robustness.embedded import harm_target, scope_target
from infra.robustness.injection import InjectionTarget
from infra.robustness.personal import PersonalTarget
from infra.robustness.target import Meet

TARGETS: dict[str, Meet] = {
    "injection": InjectionTarget,
    "personal": PersonalTarget,
    "scope": scope_target,
    "harm": harm_target,
    "hallucination": AnswersTarget,
}
