"""Versions of guards that can be deceived more easily than those before them."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import sqrt

from monitors.monitor import Snapshot, finding
from monitors.state import dump, load
from monitors.wording import percent
from schemas.evaluations import GuardAttacked
from schemas.watching import Finding, Observation

KEYS_MAX = 400
"""Guards times attacks that are remembered; those heard of longest ago are forgotten first."""
_NORMAL = 3.090232
"""One-sided 99.9 %: a version attacked in twenty ways is wrongly blamed once in fifty."""


@dataclass
class _Standing:
    """How a guard stood up to one attack when last it did well.

    Args:
        version: The version of the guard that did.
        found: Texts that it found.
        samples: Texts that it had to find.
        fallen: Whether a later version finds fewer.
    """

    version: str
    found: int
    samples: int
    fallen: bool = False


@dataclass
class _State:
    standings: dict[str, _Standing] = field(default_factory=dict)


class Robustness:
    """Raise a finding when a new version of a guard finds less under an attack than the former.

    Versions are compared on the same texts only. A version falls behind when the interval of the
    difference between the two recalls, one-sided at 99.9 %, lies below 0; the version that did well
    stays the measure until a later one is as good again. Attacks of the same version measured
    again replace the former figures. Every measurement is stated as a value.

    References:
        R. G. Newcombe, "Interval estimation for the difference between independent proportions",
        Statistics in Medicine 17 (1998).
    """

    name = "robustness"
    version = "1"

    def __init__(self) -> None:
        self._state = _State()

    def observe(self, observation: Observation) -> list[Finding]:
        """Take in what one version finds under one attack; say whether that is less than before."""
        attacked = observation.attacked
        if attacked is None:
            return []
        findings = [self._say(observation, attacked, "value", None)]
        standings = self._state.standings
        key = f"{attacked.guard}|{attacked.attack}|{attacked.data_version}"
        before = standings.pop(key, None)
        now = _Standing(attacked.guard_version, attacked.found, attacked.samples)
        if before is None or before.version == now.version:
            if before is not None and before.fallen:
                findings.append(self._say(observation, attacked, "recovery", before))
            standings[key] = now
        elif fell(before.found, before.samples, now.found, now.samples):
            if not before.fallen:
                findings.append(self._say(observation, attacked, "detection", before))
            before.fallen = True
            standings[key] = before
        else:
            if before.fallen:
                findings.append(self._say(observation, attacked, "recovery", before))
            standings[key] = now
        if len(standings) > KEYS_MAX:
            del standings[next(iter(standings))]
        return findings

    def _say(
        self,
        observation: Observation,
        attacked: GuardAttacked,
        kind: str,
        before: _Standing | None,
    ) -> Finding:
        recall = attacked.found / attacked.samples
        under = "unattacked" if attacked.attack == "none" else f"under the attack {attacked.attack}"
        cause = (
            f"{attacked.guard} {attacked.guard_version} finds {percent(recall)} of "
            f"{attacked.samples} texts {under}"
        )
        usual = before.found / before.samples if before else None
        if before is not None and usual is not None:
            as_good = "as good again as" if kind == "recovery" else "worse than"
            cause += f", {as_good} version {before.version} with {percent(usual)}"
        return finding(
            self,
            observation,
            "recall_under_attack",
            kind=kind,
            segment={"guard": attacked.guard, "attack": attacked.attack},
            value=recall,
            baseline=usual,
            limit=usual,
            unit="share of texts",
            samples=attacked.samples,
            since_at=observation.occurred_at,
            cause=cause,
        )

    def snapshot(self) -> Snapshot:
        """Return the whole state as JSON."""
        return dump(self._state)

    def restore(self, snapshot: Snapshot) -> None:
        """Take on the state that :meth:`snapshot` returned."""
        self._state = load(_State, snapshot)


def fell(before: int, of: int, now: int, of_now: int) -> bool:
    """Return whether a rate has fallen, from ``before`` of ``of`` to ``now`` of ``of_now``.

    >>> fell(180, 200, 160, 200), fell(180, 200, 150, 200)
    (False, True)
    """
    low, _ = _wilson(before, of)
    _, high = _wilson(now, of_now)
    was, is_now = before / of, now / of_now
    return is_now - was + sqrt((high - is_now) ** 2 + (was - low) ** 2) < 0


def _wilson(hits: int, n: int) -> tuple[float, float]:
    rate, square = hits / n, _NORMAL**2 / n
    centre = (rate + square / 2) / (1 + square)
    half = _NORMAL / (1 + square) * sqrt(rate * (1 - rate) / n + square / (4 * n))
    return centre - half, centre + half
