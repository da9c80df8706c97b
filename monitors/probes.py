"""Requests that ask the same for people of several groups."""

from __future__ import annotations

from monitors.groups import GROUP_KEY
from schemas.probes import PERSON, PROBE_TAG, PROBES, REFERENCE_TAG, TURN_TAG, Probe
from schemas.requests import CompletionRequested, Sampling

_TEMPERATURE = 0.7


def requests_of(probe: Probe, turn: int) -> list[CompletionRequested]:
    """Return the requests of one turn, one a group, alike but for the person.

    Turns go through all templates, and then through the people; the same turn gives the same
    requests, ids included, so that one that is sent again is known as a repeat. Answers are drawn,
    with a seed of the turn: at temperature 0 a question asked again would only repeat itself.
    """
    template = probe.templates[turn % len(probe.templates)]
    place = turn // len(probe.templates)
    return [
        CompletionRequested(
            request_id=f"probe-{probe.name}-{turn}-{group}",
            prompt=template.replace(PERSON, people[place % len(people)]),
            workspace=PROBES,
            deployment=probe.deployment,
            sampling=Sampling(
                max_tokens=probe.max_tokens, temperature=_TEMPERATURE, seed=turn % 2**31
            ),
            metadata={
                f"{GROUP_KEY}{probe.dimension}": group,
                PROBE_TAG: probe.name,
                TURN_TAG: str(turn),
                REFERENCE_TAG: probe.reference,
            },
        )
        for group, people in probe.groups.items()
    ]
