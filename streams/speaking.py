"""Which monitors can speak of what: nobody waits for the word of another."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from monitors import MONITORS, OWN_MONITORS, SYSTEM_MONITORS
from monitors.counterfactual import Counterfactual
from monitors.embedding_drift import EmbeddingShift
from monitors.monitor import Monitor
from monitors.sensitivity import Sensitivity
from monitors.stereotypes import Stereotypes
from schemas.probes import probes_of
from schemas.registry import Registry
from schemas.watching import WHOLE_SYSTEM

Speakers = Mapping[str, Collection[str]]
"""The names of the monitors that can speak, by what they speak of."""


def speakers_of(registry: Registry) -> Speakers:
    """Return what findings can be about, and of each the monitors that can speak of it.

    Those are the deployments, the whole system, and the probes of a deployment that has any; the
    monitors of probes, of plants and of questions have nothing to say of another, nor has that of
    embeddings of a deployment that asks for none.
    """
    of_users = _names({*MONITORS, *OWN_MONITORS} - {*SYSTEM_MONITORS})
    speakers = {
        name: of_users - (set() if deployment.embeddings else {EmbeddingShift.name})
        for name, deployment in registry.deployments.items()
    }
    speakers[WHOLE_SYSTEM] = _names(SYSTEM_MONITORS)
    for probe in registry.probes.values():
        speakers.setdefault(probes_of(probe.deployment), set()).add(Counterfactual.name)
    for plant in registry.plants.values():
        speakers.setdefault(probes_of(plant.deployment), set()).add(Sensitivity.name)
    for questions in registry.questions.values():
        speakers.setdefault(probes_of(questions.deployment), set()).add(Stereotypes.name)
    return speakers


def _names(kinds: Iterable[type[Monitor]]) -> set[str]:
    return {kind.name for kind in kinds}
