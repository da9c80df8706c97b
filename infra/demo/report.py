"""What a run came to."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from infra.demo.episodes import EXPECTED, Judgement
from infra.demo.figures import Figures
from infra.demo.ledger import KINDS, Ledger
from infra.demo.progress import Stretch

WARM_UP = "warm-up"
"""The phase that tells what is usual."""


@dataclass(frozen=True)
class Account:
    """The accounts of Kafka and ClickHouse, and every way in which they are not exact."""

    log: Ledger
    store: Ledger
    amiss: tuple[str, ...]


@dataclass(frozen=True)
class Played:
    """What the demo's mishaps came to.

    Args:
        judgement: What alerts say about them.
        stretches: Every phase, in order.
        skipped: Episodes that could not be played, with the reason.
        slow_least: How many times as long as in the warm-up answers had to take at least.
    """

    judgement: Judgement
    stretches: Sequence[Stretch]
    skipped: dict[str, str] = field(default_factory=dict)
    slow_least: float = 4.0

    @property
    def usual_s(self) -> float:
        """The warm-up's median time from request to answer."""
        return next((s.median_s for s in self.stretches if s.name == WARM_UP), 0.0)

    @property
    def slow_factor(self) -> float | None:
        """How many times as long answers took while they were slow; None if they never were."""
        slow = [s.median_s for s in self.stretches if s.name == "slow" and s.answered]
        return slow[0] / self.usual_s if slow and self.usual_s else None

    @property
    def amiss(self) -> list[str]:
        """In a sentence each, what did not come as it must."""
        played = {episode.window.phase: episode for episode in self.judgement.episodes}
        found = [
            f"an alert came before the first episode: {one.alert.title}: {one.alert.cause}"
            for one in self.judgement.early
        ]
        for name in EXPECTED:
            if name in self.skipped:
                continue
            if name not in played:
                found.append(f"the episode {name} was not played")
            elif played[name].raised is None:
                found.append(f"no alert named the episode {name}")
        if self.slow_factor is not None and self.slow_factor < self.slow_least:
            found.append(f"answers became slower by a factor of {self.slow_factor:.1f} only")
        return found


@dataclass(frozen=True)
class Report:
    """A run, counted and measured.

    Args:
        run: What the requests' ids begin with.
        deployment: Who was asked.
        sent: Requests that were written.
        began_at: When the first was.
        took_s: Until the last answer.
        per_s: Requests a second, as planned; None if they went as fast as answers came.
        account: Whether everything is there, once.
        figures: What it was like.
        played: What the mishaps came to; None if the prompts were the user's own.
        interrupted: Whether it was cut short.
    """

    run: str
    deployment: str
    sent: int
    began_at: datetime
    took_s: float
    per_s: float | None
    account: Account
    figures: Figures
    played: Played | None = None
    interrupted: bool = False

    @property
    def passed(self) -> bool:
        """Whether every episode raised its alert, none came before, and the account is exact."""
        return not self.amiss

    @property
    def amiss(self) -> list[str]:
        """In a sentence each, what did not come as it must."""
        cut = ["it was cut short"] if self.interrupted else []
        return [*self.account.amiss, *(self.played.amiss if self.played else ()), *cut]

    def as_dict(self) -> dict[str, Any]:
        """Return it as what JSON can hold."""
        account = {
            name: {
                "rows": {kind: ledger.rows[kind] for kind in KINDS},
                "distinct": {kind: ledger.distinct(kind) for kind in KINDS},
                "statuses": dict(ledger.statuses),
                "set_aside": dict(ledger.set_aside),
                "in_flight": ledger.in_flight,
            }
            for name, ledger in (("kafka", self.account.log), ("clickhouse", self.account.store))
        }
        return {
            "passed": self.passed,
            "amiss": self.amiss,
            "run": self.run,
            "deployment": self.deployment,
            "sent": self.sent,
            "began_at": self.began_at.isoformat(),
            "took_s": round(self.took_s, 1),
            "per_s": self.per_s,
            "interrupted": self.interrupted,
            "account": account,
            **({"played": _played(self.played)} if self.played else {}),
            "figures": dataclasses.asdict(self.figures),
        }


def _played(played: Played) -> dict[str, Any]:
    judgement = played.judgement
    return {
        "usual_s": played.usual_s,
        "slow_factor": played.slow_factor,
        "skipped": played.skipped,
        "phases": [
            {
                "name": s.name,
                "sent": s.sent,
                "answered": s.answered,
                "median_s": s.median_s,
            }
            for s in played.stretches
        ],
        "episodes": [
            {
                "name": episode.window.phase,
                "began_at": episode.window.began_at.isoformat(),
                "ended_at": episode.window.ended_at.isoformat(),
                "delay_s": episode.delay_s,
                "alert": episode.raised.alert.model_dump(mode="json") if episode.raised else None,
            }
            for episode in judgement.episodes
        ],
        "early": [one.alert.model_dump(mode="json") for one in judgement.early],
        "beside": [one.alert.model_dump(mode="json") for one in judgement.beside],
    }
