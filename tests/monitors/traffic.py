"""Traffic of a bank's customers, made up from a seed: steady for a while, then an episode.

Times and shares are those of a small and busy machine: service times with a heavy tail, a mood of
the machine that wanders and affects everything, stalls of some seconds, sessions of customers who
stay on their topic. It is what false alarms and delays of the monitors are measured on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import exp

import numpy as np

from schemas.requests import ResponseStatus
from schemas.verdicts import Direction, Outcome
from schemas.watching import Observation
from tests.monitors.observations import Stream, verdict

TOPICS = ("card", "transfer", "top_up", "cash", "exchange", "fees", "identity", "limits", "refund")
ELSEWHERE = ("travel", "weather", "recipes", "sports")
TICK_S = 5.0


@dataclass(frozen=True)
class Traffic:
    """How steady traffic looks.

    Attributes:
        requests: How many there are.
        per_s: How many come each second, on average.
        spread: Standard deviation of the logarithm of service times.
        mood: The same of the machine's mood, which wanders.
        mood_s: How long the mood lasts, in seconds.
        stall_every_s: How often the machine stalls, on average.
        stall_s: How long a stall may be.
        sessions: How many customers write at a time; each stays on a topic for two requests or so.
        pii, injections, rude, refused: Shares of texts that guards flag without anything wrong.
    """

    requests: int = 2000
    per_s: float = 5.0
    spread: float = 0.6
    mood: float = 0.25
    mood_s: float = 10.0
    stall_every_s: float = 60.0
    stall_s: float = 4.0
    sessions: int = 20
    pii: float = 0.015
    injections: float = 0.005
    rude: float = 0.003
    refused: float = 0.04


@dataclass(frozen=True)
class Episode:
    """Something that goes wrong with the requests from ``start`` on, for ``requests`` of them.

    Attributes:
        slow: The factor on service times.
        injections: The share of prompts that are attacks.
        pii: The share of prompts with a card number or an IBAN.
        elsewhere: The share of requests about topics that no customer of a bank asks about.
        refused: The share of answers that decline.
        tokens: The length of answers.
        broken_guard: Whether a guard raises on every text.
        unfair: The share of answers to a group of every third customer that are withheld.
    """

    start: int
    requests: int
    slow: float = 1.0
    injections: float = 0.0
    pii: float = 0.0
    elsewhere: float = 0.0
    refused: float = 0.0
    tokens: int | None = None
    broken_guard: bool = False
    unfair: float = 0.0


@dataclass(frozen=True)
class Seen:
    """An observation and the number of the request it belongs to."""

    number: int
    observation: Observation


def seen(
    seed: int, traffic: Traffic | None = None, episodes: Sequence[Episode] = ()
) -> Iterator[Seen]:
    """Yield the observations of one run; the same seed gives the same ones."""
    traffic = traffic or Traffic()
    rng = np.random.default_rng(seed)
    fairness = np.random.default_rng([seed, 1])
    stream = Stream()
    began = stream.now
    mood, stall_until, next_tick = 0.0, 0.0, TICK_S
    topics = [str(topic) for topic in rng.choice(TOPICS, traffic.sessions, p=_shares(TOPICS))]
    for number in range(traffic.requests):
        gap = float(rng.exponential(1 / traffic.per_s))
        stream.after(gap)
        now = (stream.now - began).total_seconds()
        while now >= next_tick:
            yield Seen(number, stream.tick())
            next_tick += TICK_S
        keep = exp(-gap / traffic.mood_s)
        mood = keep * mood + float(rng.normal(0, traffic.mood * (1 - keep**2) ** 0.5))
        if rng.random() < gap / traffic.stall_every_s:
            stall_until = now + float(rng.uniform(0.5, traffic.stall_s))
        wrong = next((e for e in episodes if e.start <= number < e.start + e.requests), None)
        wrong = wrong or Episode(0, 0)
        customer = int(rng.integers(traffic.sessions))
        if rng.random() < 0.5:
            topics[customer] = str(rng.choice(TOPICS, p=_shares(TOPICS)))
        outside = rng.random() < wrong.elsewhere
        about = str(rng.choice(ELSEWHERE)) if outside else topics[customer]
        request_id = f"r{number}"
        group = "younger" if number % 3 else "older"
        yield Seen(number, _prompt(stream, rng, traffic, wrong, request_id, group))
        slow = wrong.slow * exp(mood + float(rng.normal(0, traffic.spread)))
        stalled_s = max(0.0, stall_until - now)
        large = rng.random() < 0.2
        tokens = wrong.tokens or int(np.clip(rng.normal(22, 8), 2, 32))
        withheld = group == "older" and fairness.random() < wrong.unfair
        yield Seen(number, _answer_scan(stream, rng, traffic, wrong, request_id))
        yield Seen(
            number,
            stream.response(
                request_id,
                latency_s=stalled_s + (1.5 if large else 0.5) * slow,
                generation_s=(1.4 if large else 0.4) * slow,
                ttft_s=stalled_s + (0.3 if large else 0.1) * slow,
                tokens=tokens,
                topic=about if rng.random() > 0.03 else "other",
                pool="large" if large else "small",
                status=ResponseStatus.WITHHELD if withheld else ResponseStatus.RELEASED,
                mean_logprob=-abs(float(fairness.normal(0, 0.5))),
                metadata={"group.age": group},
            ),
        )


def _shares(topics: Sequence[str]) -> list[float]:
    weights = range(len(topics), 0, -1)
    return [weight / sum(weights) for weight in weights]


def _prompt(
    stream: Stream,
    rng: np.random.Generator,
    traffic: Traffic,
    wrong: Episode,
    request_id: str,
    group: str,
) -> Observation:
    attack = rng.random() < max(traffic.injections, wrong.injections)
    label = str(rng.choice(["CARD", "IBAN"] if wrong.pii else ["EMAIL", "PHONE"]))
    leak = rng.random() < max(traffic.pii, wrong.pii)
    broken = wrong.broken_guard
    return stream.scanned(
        request_id,
        [
            verdict("pii", Outcome.MASK if leak else Outcome.PASS, [label] if leak else []),
            verdict("secrets", Outcome.NOT_SCANNED if broken else Outcome.PASS),
            verdict("injection", Outcome.BLOCK if attack else Outcome.PASS),
        ],
        metadata={"group.age": group},
    )


def _answer_scan(
    stream: Stream, rng: np.random.Generator, traffic: Traffic, wrong: Episode, request_id: str
) -> Observation:
    rude = rng.random() < traffic.rude
    refused = rng.random() < max(traffic.refused, wrong.refused)
    return stream.scanned(
        request_id,
        [
            verdict("pii"),
            verdict("secrets"),
            verdict("tone", Outcome.FLAG if rude else Outcome.PASS),
            verdict("refusal", Outcome.FLAG if refused else Outcome.PASS),
        ],
        Direction.ANSWER,
    )
