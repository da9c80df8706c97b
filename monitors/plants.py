"""Requests that a guard must find."""

from __future__ import annotations

from schemas.plants import PLANT_EVERY_TAG, PLANT_GUARD_TAG, PLANT_TAG, PLANT_TURN_TAG, Plant
from schemas.probes import PROBES
from schemas.requests import CompletionRequested, Sampling


def planted(plant: Plant, turn: int) -> CompletionRequested:
    """Return the request of one turn; the same turn gives the same one, its id included."""
    return CompletionRequested(
        request_id=f"plant-{plant.name}-{turn}",
        prompt=plant.texts[turn % len(plant.texts)],
        workspace=PROBES,
        deployment=plant.deployment,
        sampling=Sampling(max_tokens=1),
        metadata={
            PLANT_TAG: plant.name,
            PLANT_GUARD_TAG: plant.guard,
            PLANT_TURN_TAG: str(turn),
            PLANT_EVERY_TAG: str(plant.every_s),
        },
    )
