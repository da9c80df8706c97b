"""Pure watching: guards over texts, monitors over what happens to a deployment."""

from __future__ import annotations

from monitors.accounting import Accounting
from monitors.answer_format import AnswerFormat
from monitors.brands import Brands
from monitors.code_injection import CodeInjection
from monitors.conduct import (
    Advice,
    Discrimination,
    FairDealing,
    Laundering,
    ProhibitedUse,
    Promises,
    TippingOff,
    Transparency,
)
from monitors.counterfactual import Counterfactual
from monitors.disclaimers import Disclaimers
from monitors.drift_levels import DriftLevels
from monitors.drills import Drills
from monitors.embedding_drift import EmbeddingShift
from monitors.expiry import PackExpiry
from monitors.groundedness import Groundedness
from monitors.group_gaps import GroupGaps
from monitors.guard import Guard
from monitors.guard_rates import GuardRates
from monitors.hallucination import Hallucination
from monitors.harm import Embed, Harm
from monitors.injection import Injection
from monitors.language import Language
from monitors.latency import LatencyShift
from monitors.leakage import Leakage
from monitors.length import LengthShift
from monitors.links import Links
from monitors.monitor import Monitor
from monitors.outcomes import Outcomes
from monitors.personal import Personal
from monitors.pii import Pii
from monitors.pools import PoolsWithoutWorker
from monitors.rated import AnswerQuality
from monitors.refusal import Refusal
from monitors.refusals import RefusalShift
from monitors.robustness import Robustness
from monitors.scope import Scope
from monitors.secrets import Secrets
from monitors.sensitivity import Sensitivity
from monitors.serving import Serving
from monitors.slo import Slo
from monitors.stereotypes import Stereotypes
from monitors.tone import Tone
from monitors.topic_shift import TopicShift
from monitors.ttft import TtftShift
from monitors.watch import Watch
from schemas.probes import is_of_probes
from schemas.registry import Deployment

GUARDS: tuple[type[Guard], ...] = (
    Pii,
    Personal,
    Secrets,
    Injection,
    CodeInjection,
    Leakage,
    Links,
    Tone,
    Refusal,
    Promises,
    Advice,
    Discrimination,
    FairDealing,
    Laundering,
    TippingOff,
    Transparency,
    ProhibitedUse,
    Language,
    Brands,
    AnswerFormat,
    Disclaimers,
)
LISTED_GUARDS: tuple[type[Guard], ...] = (Scope, Harm, Hallucination, Groundedness)
"""Those that a policy requires by name only: they cost more, or need to be told something."""

MONITORS: tuple[type[Monitor], ...] = (
    Accounting,
    AnswerQuality,
    DriftLevels,
    EmbeddingShift,
    GroupGaps,
    GuardRates,
    LatencyShift,
    LengthShift,
    Outcomes,
    PackExpiry,
    PoolsWithoutWorker,
    RefusalShift,
    Robustness,
    Serving,
    Slo,
    TopicShift,
    TtftShift,
)


SYSTEM_MONITORS: tuple[type[Monitor], ...] = (Accounting, Robustness)
"""Those of them that speak of the whole system, and of no deployment."""

OWN_MONITORS: tuple[type[Monitor], ...] = (Drills,)
"""What watches the monitors of a deployment themselves; every watch has it."""

PROBE_MONITORS: tuple[type[Monitor], ...] = (Counterfactual, Sensitivity, Stereotypes)
"""What watches the requests that no user sent."""


def all_guards(embed: Embed) -> list[Guard]:
    """Return one guard of each kind, without options.

    Args:
        embed: Turns texts into unit vectors; called only where a policy requires a guard that
            needs it.
    """
    listed = (Scope(Scope.Options(), embed), Harm(embed), Hallucination(), Groundedness(embed))
    return [*(kind() for kind in GUARDS), *listed]


def watch_of(deployment: str, written: Deployment | None = None) -> Watch:
    """Return a new watch over ``deployment`` with every monitor there is.

    Args:
        deployment: Its name; that of its probes gets the monitors of probes.
        written: What the registry says of it: its users' objectives, its prices and budget.
    """
    if is_of_probes(deployment):
        return Watch(deployment, [kind() for kind in PROBE_MONITORS])
    special: dict[type[Monitor], Monitor] = {}
    if written is not None:
        priced = {pool.name: pool.usd_per_million_tokens for pool in written.pools}
        prices = {name: price for name, price in priced.items() if price is not None}
        special = {Slo: Slo(written.slo), Serving: Serving(prices, written.budget_usd)}
    return Watch(deployment, [special.get(kind) or kind() for kind in MONITORS])
