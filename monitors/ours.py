"""The requests of our own probes, plants and questions, and those that only say that they are."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from monitors.plants import planted
from monitors.probes import requests_of
from monitors.questions import question_of
from schemas.plants import Plant
from schemas.probes import PROBES, Probe
from schemas.questions import Questions
from schemas.registry import SentByUs
from schemas.requests import CompletionRequested

LATE_S = 60.0
"""So much later than its turn a request may reach Kafka, or earlier, where clocks differ."""


def turn_of(sent: SentByUs, turn: int) -> list[CompletionRequested]:
    """Return the requests of one turn; the same turn gives the same ones, ids included."""
    if isinstance(sent, Probe):
        return requests_of(sent, turn)
    return [planted(sent, turn) if isinstance(sent, Plant) else question_of(sent, turn)]


@dataclass(frozen=True)
class _Sent:
    """Whom something asks, how often, and the form of its ids, which captures the turn."""

    deployment: str
    every_s: float
    ids: re.Pattern[str]


class Ours:
    """Tell the requests that the monitors' process sends from those of users.

    A workspace is but a name that any client may give. A request is ours if its id is that of a
    turn of one of those there are, and came when the turn did. As a partition answers an id only
    once, a client that imitates us gets one request a turn and partition past the users' monitors,
    not all of them.

    Args:
        sent: The probes, plants and questions of the registry.
    """

    def __init__(self, sent: Iterable[SentByUs] = ()) -> None:
        self._sent = tuple(_sent(one) for one in sent)

    def sent(self, workspace: str, deployment: str, request_id: str, at: datetime) -> bool:
        """Return whether the request is one that we sent.

        Args:
            workspace: As the request has it.
            deployment: The same.
            request_id: The same.
            at: The broker's time of the request.
        """
        return workspace == PROBES and any(
            deployment == one.deployment and _is_of(one, request_id, at.timestamp())
            for one in self._sent
        )


def _sent(one: SentByUs) -> _Sent:
    if isinstance(one, Plant):
        form = f"plant-{re.escape(one.name)}-([0-9]{{1,12}})"
    elif isinstance(one, Questions):
        form = f"question-{re.escape(one.name)}-([0-9]{{1,12}})"
    else:
        groups = "|".join(map(re.escape, one.groups))
        form = f"probe-{re.escape(one.name)}-([0-9]{{1,12}})-(?:{groups})"
    return _Sent(one.deployment, one.every_s, re.compile(form))


def _is_of(one: _Sent, request_id: str, at_s: float) -> bool:
    found = one.ids.fullmatch(request_id)
    return found is not None and (abs(int(found[1]) * one.every_s - at_s) <= one.every_s + LATE_S)
