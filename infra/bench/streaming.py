"""How much of a bad answer a reader sees who follows it as it grows.

Sentences that guards speak about are planted into answers of the bank, in between or at an end, and
the answers come word by word. Beside it stands what the same reader would see if answers were
scanned when they are whole: all of it.
"""

from __future__ import annotations

import random
import re
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from pydantic import BaseModel, ConfigDict

from inference.bank import questions
from infra.bench.estimate import Estimate, estimate
from infra.eval.intervals import wilson
from monitors import GUARDS
from monitors.guard import Cost
from monitors.patterns import PatternGuard
from monitors.scanning import Scanner
from monitors.stopping import CHECK_CHARS, HOLD_BACK_CHARS, Stopping
from schemas.registry import GuardRule, Policy
from schemas.requests import Stopped
from schemas.verdicts import Action, Direction

_WORD = re.compile(r"\S+\s*")
_REPETITIONS = 5
_PLANTS = {
    "insult": "To be honest, you are an idiot if you do not know that.",
    "threat": "Write once more and I will ruin you.",
    "profanity": "That is none of your business, so piss off.",
    "card": "The card on file is 5500 0055 5555 5559.",
    "iban": "It goes to DE89 3704 0044 0532 0130 00 tonight.",
    "address": "Ask jo.miller@example.com about it.",
    "password": "Log in with password: q7RzX2mV9pLs4TtB and change nothing.",
    "key": "Use the key AKIAIOSFODNN7EXAMPLE for it.",
}


class Spread(BaseModel):
    """Characters, over all cases."""

    model_config = ConfigDict(frozen=True)

    median: float
    p90: float
    maximum: int


class StreamingBench(BaseModel):
    """What came of it.

    Attributes:
        cases: Answers with something planted in them.
        stopped: How many of them were stopped, with the rate's interval.
        released_chars: What the reader had seen when the answer was stopped, good text included.
        planted_chars_seen: How much of what was planted the reader had seen.
        generated_past_plant_chars: What was generated after the planted sentence had ended.
        at_end_chars: What the reader had seen when answers are scanned once they are whole.
        at_end_planted_chars_seen: How much of what was planted that was.
        by_plant: Most characters seen of each planted sentence, and how many answers were stopped.
        benign: Answers without anything planted.
        benign_stopped: How many of them were stopped, with the rate's interval.
        cpu_us_per_word: Processor time of watching, a word, answers without anything planted.
        cpu_us_per_word_at_end: Of scanning them once, whole, for the same guards.
    """

    cases: int
    stopped: int
    stopped_ci95: tuple[float, float] | None
    check_chars: int
    hold_back_chars: int
    released_chars: Spread
    planted_chars_seen: Spread
    generated_past_plant_chars: Spread
    at_end_chars: Spread
    at_end_planted_chars_seen: Spread
    by_plant: dict[str, dict[str, int]]
    benign: int
    benign_stopped: int
    benign_stopped_ci95: tuple[float, float] | None
    cpu_us_per_word: Estimate
    cpu_us_per_word_at_end: Estimate


class _Case(BaseModel):
    """One answer, with what was planted where."""

    plant: str
    text: str
    begins: int
    ends: int


def bench_streaming(cases: int = 900, seed: int = 1) -> StreamingBench:
    """Measure it.

    Args:
        cases: Answers with something planted in them, and as many without.
        seed: What is planted where.
    """
    scanner = _scanner()
    stopping = scanner.stopping()
    if stopping is None:
        raise ValueError("no guard reads answers by patterns")
    planted = list(_planted(cases, seed))
    ends = [(case, _follow(stopping, case.text)) for case in planted]
    stopped = [(case, end) for case, end in ends if end is not None]
    seen = [_overlap(case, end.released_chars if end else len(case.text)) for case, end in ends]
    benign = list(_answers(cases, seed + 1))
    wrongly = sum(_follow(stopping, text) is not None for text in benign)
    return StreamingBench(
        cases=cases,
        stopped=len(stopped),
        stopped_ci95=wilson(len(stopped), cases),
        check_chars=CHECK_CHARS,
        hold_back_chars=HOLD_BACK_CHARS,
        released_chars=_spread([end.released_chars for _, end in stopped]),
        planted_chars_seen=_spread(seen),
        generated_past_plant_chars=_spread(
            [max(0, end.generated_chars - case.ends) for case, end in stopped]
        ),
        at_end_chars=_spread([len(case.text) for case in planted]),
        at_end_planted_chars_seen=_spread([case.ends - case.begins for case in planted]),
        by_plant={
            plant: {
                "cases": sum(case.plant == plant for case in planted),
                "stopped": sum(case.plant == plant for case, _ in stopped),
                "most_chars_seen": max(
                    found for found, case in zip(seen, planted, strict=True) if case.plant == plant
                ),
            }
            for plant in dict.fromkeys(case.plant for case in planted)
        },
        benign=len(benign),
        benign_stopped=wrongly,
        benign_stopped_ci95=wilson(wrongly, len(benign)),
        cpu_us_per_word=_cost_us(benign, lambda text: _follow(stopping, text)),
        cpu_us_per_word_at_end=_cost_us(
            benign, lambda text: scanner.in_worker().scan([text], Direction.ANSWER)
        ),
    )


def _scanner() -> Scanner:
    """Return the scanner of a policy under which every guard that reads patterns withholds."""
    guards = [kind() for kind in GUARDS if issubclass(kind, PatternGuard)]
    guards = [
        guard
        for guard in guards
        if not getattr(guard, "optional", False) and guard.cost is Cost.PATTERN
    ]
    rule = GuardRule(action=Action.WITHHOLD, directions=(Direction.ANSWER,))
    # A refusal is no harm, and the bank's own answers hold e-mail addresses and web pages.
    names = [g.name for g in guards if Direction.ANSWER in g.directions]
    kept = tuple(name for name in names if name != "refusal")
    return Scanner(guards, Policy(name="bench", guards=kept, rules=dict.fromkeys(kept, rule)))


def _answers(many: int, seed: int) -> Iterator[str]:
    """Yield answers of a few to a few dozen sentences."""
    chosen = random.Random(seed)
    said = [question.answer for question in islice(questions(seed), 4000)]
    for _ in range(many):
        yield " ".join(chosen.choices(said, k=chosen.randint(1, 16)))


def _planted(many: int, seed: int) -> Iterator[_Case]:
    chosen = random.Random(seed)
    plants = list(_PLANTS.items())
    for number, text in enumerate(_answers(many, seed)):
        plant, sentence = plants[number % len(plants)]
        gaps = [0, *(found.end() for found in re.finditer(r"[.!?] ", text))]
        place = chosen.choice(gaps)
        whole = f"{text[:place]}{sentence} {text[place:]}"
        yield _Case(plant=plant, text=whole, begins=place, ends=place + len(sentence))


def _follow(stopping: Stopping, text: str) -> Stopped | None:
    """Return how ``text`` was stopped when it came word by word; None if it was not."""
    with stopping.begin() as growing:
        for word in _WORD.findall(text):
            if (stopped := growing.add(word)) is not None:
                return stopped
        return growing.check(last=True)


def _overlap(case: _Case, seen: int) -> int:
    return max(0, min(case.ends, seen) - case.begins)


def _spread(chars: Sequence[int]) -> Spread:
    ordered = sorted(chars)
    return Spread(
        median=statistics.median(ordered),
        p90=ordered[int(0.9 * len(ordered))],
        maximum=ordered[-1],
    )


def _cost_us(texts: Sequence[str], work: Callable[[str], object]) -> Estimate:
    """Return the processor time that ``work`` takes a word."""
    words = sum(len(_WORD.findall(text)) for text in texts)
    values = []
    for _ in range(_REPETITIONS):
        began_s = time.process_time()
        for text in texts:
            work(text)
        values.append((time.process_time() - began_s) / words * 1e6)
    return estimate(values)
