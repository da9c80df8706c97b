"""Deployments, policies and alert rules as people write them, in YAML files of one folder."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.alert_rules import AlertRule, check_rules
from schemas.base import Name
from schemas.errors import ConfigError
from schemas.plants import Plant
from schemas.probes import Probe
from schemas.questions import Questions
from schemas.verdicts import Action, Direction
from schemas.written import Location, Written, fault, parse, read

M = TypeVar("M", bound=BaseModel)
SentByUs = Probe | Plant | Questions
Share = Annotated[float, Field(ge=0, le=1)]
Usd = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class GuardRule(Written):
    """What a policy says of one guard where it differs from the guard's own defaults.

    Attributes:
        action: What to do when the guard speaks.
        threshold: Score from which the guard speaks, 0 to 1.
        fail: What a text that could not be scanned does: pass (``open``) or stop (``closed``).
        directions: The sides of the model on which the guard is required.
        options: What the guard itself lets one choose, by name.
        budget_ms: Milliseconds it may take for one batch of texts.
        max_chars: Characters of a text that it reads, from the beginning.
        sample: Share of the conversations, 0 to 1, that it reads; the others pass unread.
        on_doubt_of: It reads only what this other guard is in doubt of, or could not read; with a
            ``sample`` below 1, that sample as well.
        doubt: Scores of that other guard, from and to, that count as doubt.
    """

    action: Action | None = None
    threshold: Annotated[float, Field(ge=0, le=1)] | None = None
    fail: Literal["open", "closed"] | None = None
    directions: tuple[Direction, ...] | None = None
    options: dict[str, Any] = Field(default_factory=dict)
    budget_ms: Annotated[float, Field(gt=0)] | None = None
    max_chars: Annotated[int, Field(ge=1)] | None = None
    sample: Annotated[float, Field(ge=0, le=1)] = 1.0
    on_doubt_of: Name | None = None
    doubt: tuple[Share, Share] = (0.2, 0.8)


class Policy(Written):
    """Which guards a deployment requires and what they may do.

    Attributes:
        guards: The required guards by name, or ``all`` that are not optional; an optional one is
            required as well where it has a rule.
        rules: What differs from a guard's defaults, by guard.
        fail: What a text does that a guard could not scan, unless its rule says otherwise.
        budget_ms: Milliseconds a guard may take for one batch of texts, unless its rule says
            otherwise.
        restore: Whether the released answer gets masked values of its own request put back.
    """

    name: Name
    guards: Literal["all"] | tuple[Name, ...] = "all"
    rules: dict[Name, GuardRule] = Field(default_factory=dict)
    fail: Literal["open", "closed"] = "open"
    budget_ms: Annotated[float, Field(gt=0)] = 2000.0
    restore: bool = True


class Price(Written):
    """What a million tokens cost, in USD.

    Attributes:
        prompt: Of a prompt.
        cached: Of a prompt, where they came from a cache; as others, if nothing is said.
        completion: Of an answer.
    """

    prompt: Usd
    cached: Usd | None = None
    completion: Usd


class Pool(Written):
    """Workers that serve one model.

    Attributes:
        model: A folder, a hub id, or the name of a model that ships with Tidegate.
        engine_args: Passed to the engine as they are.
        max_in_flight: Requests one worker keeps in flight.
        usd_per_million_tokens: What its tokens cost; nothing is said of costs without it.
    """

    name: Name
    engine: Literal["vllm", "transformers", "scripted"] = "vllm"
    model: str
    engine_args: dict[str, Any] = Field(default_factory=dict)
    max_in_flight: Annotated[int, Field(ge=1, le=1024)] = 32
    usd_per_million_tokens: Price | None = None


class Routing(Written):
    """How requests are spread over the pools, which are listed from small to large.

    Attributes:
        large_share: The share of requests, 0 to 1, that may go beyond the first pool.
    """

    large_share: Annotated[float, Field(ge=0, le=1)] = 0.2


class Objective(Written):
    """A share of requests that is to go well: a service level objective.

    What fails because of the request itself, malformed or too large, does not count.

    Attributes:
        target: The share, between 0 and 1, of requests that do not fail and keep the limits below.
        latency_s: How long such a request may take, end to end.
        ttft_s: How long its first token may take; requests that no model answered do not count.
    """

    name: Name
    target: Annotated[float, Field(gt=0, lt=1)]
    latency_s: Annotated[float, Field(gt=0)] | None = None
    ttft_s: Annotated[float, Field(gt=0)] | None = None


ANSWERED = Objective(name="answered", target=0.99)


class Embeddings(Written):
    """That masked prompts and answers are turned into vectors, whose drift is watched.

    Attributes:
        share: The part of the conversations, at most.
        per_s: Texts a second, at most, half of them prompts; a core does about 20 short ones.
    """

    share: Annotated[float, Field(gt=0, le=1)] = 1.0
    per_s: Annotated[float, Field(gt=0, le=10_000)] = 20.0


class Deployment(Written):
    """What answers the requests of one name: pools of workers, small to large, under one policy.

    Attributes:
        slo: What its users are promised; that 99 % of requests do not fail, if nothing is said.
        budget_usd: What its answers may cost on a day, in UTC; for pools that have a price.
        embeddings: Which texts are turned into vectors; none, if nothing is said.
    """

    name: Name
    policy: Name = "default"
    pools: Annotated[tuple[Pool, ...], Field(min_length=1)]
    routing: Routing = Routing()
    slo: Annotated[tuple[Objective, ...], Field(max_length=8)] = (ANSWERED,)
    embeddings: Embeddings | None = None
    budget_usd: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    owner: str = ""


class Registry(BaseModel):
    """All that is written, by name, and the version that the bytes of each file give it."""

    model_config = ConfigDict(frozen=True)

    deployments: dict[str, Deployment]
    policies: dict[str, Policy]
    rules: dict[str, AlertRule]
    versions: dict[str, str]
    probes: dict[str, Probe] = Field(default_factory=dict)
    plants: dict[str, Plant] = Field(default_factory=dict)
    questions: dict[str, Questions] = Field(default_factory=dict)

    def policy_of(self, deployment: Deployment) -> Policy:
        """Return the policy of ``deployment``; loading has checked that it exists."""
        return self.policies[deployment.policy]

    @property
    def embeds(self) -> bool:
        """Whether some deployment asks for embeddings."""
        return any(each.embeddings is not None for each in self.deployments.values())

    @property
    def sent_by_us(self) -> tuple[SentByUs, ...]:
        """What the monitors' process asks turn by turn."""
        return (*self.probes.values(), *self.plants.values(), *self.questions.values())

    def pools(self) -> dict[str, Pool]:
        """Return every pool by name; loading has checked that each name means one pool."""
        return {pool.name: pool for d in self.deployments.values() for pool in d.pools}


def load_registry(folder: Path) -> Registry:
    """Read the folders of deployments, policies, alerts and what we send below ``folder``.

    Raises:
        ConfigError: Naming file, line and key, if a file is no YAML, does not fit its model,
            repeats a name, or refers to a policy, deployment or rule that is not there.
    """
    versions: dict[str, str] = {}
    policies = _load_folder(folder / "policies", Policy, versions)
    deployments = _load_folder(folder / "deployments", Deployment, versions)
    rules = _load_folder(folder / "alerts", AlertRule, versions)
    check_rules(folder / "alerts", {name: rule for name, (_, rule) in rules.items()})
    probes = _load_folder(folder / "probes", Probe, versions)
    plants = _load_folder(folder / "plants", Plant, versions)
    questions = _load_folder(folder / "questions", Questions, versions)
    if not deployments:
        raise ConfigError("holds no deployment", file=str(folder / "deployments"))
    pools: dict[str, Pool] = {}
    for path, deployment in deployments.values():
        if deployment.policy not in policies:
            known = ", ".join(sorted(policies)) or "none"
            raise fault(path, ("policy",), f"no policy {deployment.policy!r}; there are: {known}")
        for index, pool in enumerate(deployment.pools):
            if pool.name in (earlier.name for earlier in deployment.pools[:index]):
                raise fault(path, ("pools", index, "name"), f"pool {pool.name!r} is listed twice")
            if pools.setdefault(pool.name, pool) != pool:
                raise fault(path, ("pools", index, "name"), f"pool {pool.name!r} differs elsewhere")
        if deployment.budget_usd and not any(
            pool.usd_per_million_tokens for pool in deployment.pools
        ):
            raise fault(path, ("budget_usd",), "no pool has a price")
        promised = [objective.name for objective in deployment.slo]
        for index, name in enumerate(promised):
            if name in promised[:index]:
                raise fault(path, ("slo", index, "name"), f"objective {name!r} is listed twice")
    sent_by_us: list[tuple[Path, SentByUs]] = [
        *probes.values(),
        *plants.values(),
        *questions.values(),
    ]
    for path, sent in sent_by_us:
        if sent.deployment not in deployments:
            known = ", ".join(sorted(deployments))
            message = f"no deployment {sent.deployment!r}; there are: {known}"
            raise fault(path, ("deployment",), message)
    return Registry(
        deployments={name: item for name, (_, item) in deployments.items()},
        policies={name: item for name, (_, item) in policies.items()},
        rules={name: item for name, (_, item) in rules.items()},
        versions=versions,
        probes={name: item for name, (_, item) in probes.items()},
        plants={name: item for name, (_, item) in plants.items()},
        questions={name: item for name, (_, item) in questions.items()},
    )


def check_guards(folder: Path, policy: Policy, known: Mapping[str, type[BaseModel] | None]) -> None:
    """Refuse a policy that asks of guards what they cannot do.

    Args:
        folder: The registry's.
        policy: One of its policies.
        known: The guards there are, each with the model of its options; None if it has none.

    Raises:
        ConfigError: Naming file, line and key, if a guard does not exist, does not have such
            options, or waits for one that itself waits.
    """
    check_policy(folder / "policies" / f"{policy.name}.yaml", policy, known)


def check_policy(path: Path, policy: Policy, known: Mapping[str, type[BaseModel] | None]) -> None:
    """Refuse the policy in the file ``path`` as :func:`check_guards` does.

    Raises:
        ConfigError: Naming file, line and key.
    """
    listed = () if policy.guards == "all" else policy.guards
    for index, guard in enumerate(listed):
        if guard not in known:
            raise fault(path, ("guards", index), _no_guard(guard, known))
    for guard, rule in policy.rules.items():
        if guard not in known:
            raise fault(path, ("rules", guard), _no_guard(guard, known))
        _check_options(path, guard, rule, known[guard])
        _check_doubt(path, guard, policy, known)


def _check_options(path: Path, guard: str, rule: GuardRule, model: type[BaseModel] | None) -> None:
    where: Location = ("rules", guard, "options")
    if rule.options and model is None:
        raise fault(path, where, f"guard {guard!r} takes no options")
    if model is None:
        return
    try:
        model.model_validate(rule.options)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise fault(path, (*where, *first["loc"]), first["msg"]) from error


def _check_doubt(
    path: Path, guard: str, policy: Policy, known: Mapping[str, type[BaseModel] | None]
) -> None:
    rule = policy.rules[guard]
    other = rule.on_doubt_of
    if rule.doubt[0] > rule.doubt[1]:
        raise fault(path, ("rules", guard, "doubt"), "ends before it begins")
    if other is None:
        return
    where: Location = ("rules", guard, "on_doubt_of")
    if other not in known:
        raise fault(path, where, _no_guard(other, known))
    if policy.guards != "all" and other not in policy.guards:
        raise fault(path, where, f"guard {other!r} is not required by this policy")
    if other == guard or policy.rules.get(other, GuardRule()).on_doubt_of is not None:
        raise fault(path, where, f"guard {other!r} itself waits for another's doubt")


def _no_guard(guard: str, known: Iterable[str]) -> str:
    return f"no guard {guard!r}; there are: {', '.join(sorted(known))}"


def _load_folder(
    folder: Path, model: type[M], versions: dict[str, str]
) -> dict[str, tuple[Path, M]]:
    found: dict[str, tuple[Path, M]] = {}
    for path in sorted(folder.glob("*.yml")):
        raise ConfigError(f"must be called {path.stem}.yaml to be read", file=str(path))
    for path in sorted(folder.glob("*.yaml")):
        raw = read(path)
        item = parse(path, raw, model)
        name = str(getattr(item, "name", ""))
        if name != path.stem:
            raise fault(path, ("name",), f"{name!r} must equal the file's name, {path.stem!r}")
        found[name] = (path, item)
        versions[f"{folder.name}/{name}"] = hashlib.sha256(raw).hexdigest()[:16]
    return found
