"""Which pool answers a request: easy ones the small model, hard ones a larger one."""

from __future__ import annotations

import hashlib

from inference.bank.topic import OTHER
from inference.router_model import Reading, RouterModel, shipped_router
from schemas.registry import Deployment, Pool
from schemas.requests import Route

HARD = 0.5
"""What is less likely than this to want more than a fact stays with the first pool."""

CAUTION = 0.8
"""The part of the allowed share that is aimed at, so that chance does not carry it over."""


class Router:
    """Sends texts to the pools of one deployment by predicted difficulty and topic.

    Hard texts go beyond the first pool as far as ``routing.large_share`` has room for them, which
    is reckoned on the reference traffic: bank questions, one in five of them hard. If there are
    more hard ones than room, the text's digest decides which of them go. How hard a text of an
    unknown topic is cannot be told, so there the digest decides alone. Nothing is remembered: the
    same text always takes the same way.

    Args:
        deployment: Its pools, small to large, and its routing.
        model: Reads topic and difficulty; the shipped one if absent.
    """

    def __init__(self, deployment: Deployment, model: RouterModel | None = None) -> None:
        self._pools = deployment.pools
        self._model = model or shipped_router()
        share = deployment.routing.large_share
        self._room = CAUTION * share if share < 1 else 1.0
        self._hard_from = self._model.rank(HARD)
        self._hard_room = min(1.0, self._room / max(1e-9, 1 - self._hard_from))

    def route(self, text: str) -> Route:
        """Return the pool for ``text``, and why."""
        reading = self._model.read(text)
        pool, reason = self._choose(reading, text)
        return Route(
            pool=pool.name,
            topic=reading.topic,
            difficulty=round(reading.difficulty, 4),
            reason=reason,
        )

    def _choose(self, reading: Reading, text: str) -> tuple[Pool, str]:
        if len(self._pools) == 1:
            return self._pools[0], "the only pool"
        if reading.topic == OTHER:
            room, said = self._room, "unknown topic"
        elif reading.difficulty < HARD:
            return self._pools[0], "easy"
        else:
            room, said = self._hard_room, "hard"
        if _lot(text) < room:
            return self._beyond(reading.difficulty), said
        return self._pools[0], f"{said}, no room beyond the first pool"

    def _beyond(self, difficulty: float) -> Pool:
        """Return a pool after the first; each gets an equal part of the hard reference traffic."""
        larger = self._pools[1:]
        part = (self._model.rank(difficulty) - self._hard_from) / max(1e-9, 1 - self._hard_from)
        return larger[min(max(int(part * len(larger)), 0), len(larger) - 1)]


def _lot(text: str) -> float:
    """Return a number in [0, 1) that ``text`` decides."""
    digest = hashlib.sha256(text.encode(errors="surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") / 2.0**64
