"""The demo's hours at a bank: who writes what and when, the same for the same seed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count, islice
from random import Random
from typing import Literal
from zlib import crc32

from inference.bank import Question, elsewhere, injections, pasted, questions

Kind = Literal["question", "pasted", "injection", "elsewhere"]
Mix = dict[Kind, float]
"""What share of the messages is of each kind but questions, which are the rest."""

USUAL: Mix = {"pasted": 0.01, "elsewhere": 0.01, "injection": 0.005}
"""Any day some customers paste a number, stray from the subject, or try their luck."""
CHANNELS = ("app", "app", "app", "web", "web", "chat", "partners")
"""How customers write, each as often as it stands here."""
_CHANNEL_OF: dict[Kind, str] = {"injection": "partners", "pasted": "chat"}
SLOW_S = 40.0
"""How long answers are slow: the latency monitor wants some twenty seconds of proof."""
_SLOW_PER_S = 4.0
"""The most requests a second while workers are slow; they pile up as it is."""


@dataclass(frozen=True)
class Phase:
    """A stretch of traffic of one kind.

    Args:
        name: As it stands in the requests' metadata.
        title: As people read it.
        least: Requests it has at least.
        share: Its part of the requests that are left, in proportion to the others' shares.
        mix: What customers write.
        slow: Whether the workers are slowed down; it then lasts :data:`SLOW_S`.
    """

    name: str
    title: str
    least: int
    share: int
    mix: Mix = field(default_factory=lambda: USUAL)
    slow: bool = False


# The monitors learn from the first 200 answers, and from 30 of a pool. Before the next episode they
# need some 80 ordinary requests to see that the last one is over. Pasted numbers are about few
# topics, so they come after the episode of the topics.
PHASES = (
    Phase("normal", "ordinary traffic", least=220, share=20),
    Phase("injection", "injection burst", least=20, share=30, mix={"injection": 0.8}),
    Phase("quiet-1", "ordinary traffic", least=6, share=80),
    Phase("topics", "customers turn to other topics", least=36, share=50, mix={"elsewhere": 0.9}),
    Phase("quiet-2", "ordinary traffic", least=6, share=90),
    Phase("pasting", "pasted cards and IBANs", least=20, share=30, mix={"pasted": 0.8}),
    Phase("quiet-3", "ordinary traffic", least=6, share=80),
    Phase("slow", "answers slow down", least=0, share=0, slow=True),
    Phase("quiet-4", "ordinary traffic", least=6, share=140),
)
NORMAL = PHASES[0]
PRIMED, WARMUP = 12, 60
"""The first requests wake the system up, those after them, up to the 60th, measure it."""
REQUESTS_LEAST = 400
SPAN_S = 200.0
"""How long the traffic is to last; with starting and counting that stays below five minutes."""
_COMFORTABLE = 0.7
_CROWDED = 0.85
"""Shares of what the warm-up got answered, a few at a time: what is asked, and what at most."""


@dataclass(frozen=True)
class Ask:
    """A message of a customer.

    Args:
        text: What it says.
        kind: What it is.
        after_s: How long after the message before.
    """

    text: str
    kind: Kind
    after_s: float


@dataclass(frozen=True)
class Pace:
    """How many requests in all, and how many a second."""

    requests: int
    per_s: float


def paced(wanted: int, capacity_per_s: float, span_s: float = SPAN_S) -> Pace:
    """Return what a system can answer at its ease in the time there is.

    Args:
        wanted: How many requests it shall be; fewer on a slow system, but no fewer than 400.
        capacity_per_s: How many it answered a second in the warm-up.
        span_s: How long the traffic is to last; it lasts longer on a very slow system.

    >>> paced(1000, capacity_per_s=20.0)
    Pace(requests=1000, per_s=5.0)
    >>> paced(1000, capacity_per_s=5.0)
    Pace(requests=700, per_s=3.5)
    >>> paced(1000, capacity_per_s=1.0)
    Pace(requests=400, per_s=0.85)
    """
    affordable = int(_COMFORTABLE * capacity_per_s * span_s)
    requests = min(wanted, max(affordable, REQUESTS_LEAST))
    return Pace(requests, min(requests / span_s, _CROWDED * capacity_per_s))


def counts(pace: Pace) -> dict[str, int]:
    """Return how many requests each phase has, warm-up included, by name and in order.

    >>> counts(Pace(requests=1000, per_s=5.0))["slow"]
    160
    """
    least = {phase.name: phase.least for phase in PHASES}
    least |= {p.name: math.ceil(SLOW_S * per_s(p, pace)) for p in PHASES if p.slow}
    left = max(0, pace.requests - sum(least.values()))
    whole = sum(phase.share for phase in PHASES)
    found = {p.name: least[p.name] + left * p.share // whole for p in PHASES}
    found[NORMAL.name] += max(0, pace.requests - sum(found.values()))
    return found


def per_s(phase: Phase, pace: Pace) -> float:
    """Return how many requests a second come in ``phase``."""
    return min(pace.per_s, _SLOW_PER_S) if phase.slow else pace.per_s


def plan(pace: Pace, seed: int) -> dict[str, tuple[Ask, ...]]:
    """Return every message by phase, in order; the first :data:`WARMUP` come before the others.

    Their times are those of customers who know nothing of each other (a Poisson process).
    """
    found = {}
    for phase in PHASES:
        rng = Random(f"times {phase.name} {seed}")
        rate = per_s(phase, pace)
        messages = islice(_messages(phase, seed), counts(pace)[phase.name])
        found[phase.name] = tuple(Ask(text, kind, rng.expovariate(rate)) for text, kind in messages)
    return found


def further(phase: Phase, pace: Pace, seed: int) -> Iterator[Ask]:
    """Yield the messages that follow on those planned for ``phase``, without end."""
    rng = Random(f"further times {phase.name} {seed}")
    rate = per_s(phase, pace)
    for text, kind in islice(_messages(phase, seed), counts(pace)[phase.name], None):
        yield Ask(text, kind, rng.expovariate(rate))


def channel(text: str, kind: Kind = "question") -> str:
    """Return how a message comes in: attacks through the interface for partners' programs."""
    if kind in _CHANNEL_OF:
        return _CHANNEL_OF[kind]
    return CHANNELS[crc32(text.encode()) % len(CHANNELS)]


def warmup(seed: int) -> tuple[str, ...]:
    """Return the first messages, which do not depend on the pace."""
    return tuple(text for text, _ in islice(_messages(NORMAL, seed), WARMUP))


def _messages(phase: Phase, seed: int) -> Iterator[tuple[str, Kind]]:
    """Yield what customers write in ``phase``, without end."""
    rng = Random(f"kinds {phase.name} {seed}")
    # Each phase has questions of its own: a large odd stride keeps its seeds from the others'.
    own = seed * 1_000_003 + PHASES.index(phase)
    sources: dict[Kind, Iterator[str]] = {
        "question": _endless(questions, own),
        "elsewhere": _endless(elsewhere, own),
        "pasted": (mishap.text for mishap in pasted(own)),
        "injection": (mishap.text for mishap in injections(own)),
    }
    kinds: list[Kind] = [*phase.mix, "question"]
    weights = [*phase.mix.values(), 1 - sum(phase.mix.values())]
    while True:
        (kind,) = rng.choices(kinds, weights)
        yield next(sources[kind]), kind


def _endless(ask: Callable[[int], Iterator[Question]], seed: int) -> Iterator[str]:
    for again in count(seed, step=1_000_000_007):
        for question in ask(again):
            yield question.text
